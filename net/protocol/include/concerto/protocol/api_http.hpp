#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/api_probe.hpp>
#include <concerto/protocol/gated_router.hpp>
#include <concerto/protocol/operator_api.hpp>
#include <concerto/protocol/route_table.hpp>

namespace concerto::net {

struct HttpApiOptions {
  std::string version = "v0.0.0-dev";   ///< the answer of `version`
  std::chrono::minutes zone_offset{0};  ///< of times in answers, ahead of UTC
  /// Without a timeout, resetCronTime wakes transactions that have longer than this to wait.
  std::chrono::seconds reset_beyond{105};
  /// Carries out actions on many transactions; null: such requests are answered with 501.
  BulkActions* bulk = nullptr;
};

/// The HTTP interface of the coordinator (protocol page 02). HttpApi only translates: requests into
/// calls of the Coordinator, and results into answers.
///
/// Serves everything under /api/dtmsvr, /api/concerto, /api/json-rpc, /api/ping and
/// /api/openapi.json. Each shard has its own HttpApi and uses it alone. It
/// must outlive the servers that use the router.
class CONCERTO_EXPORT HttpApi {
 public:
  /// The referenced objects must outlive the HttpApi. `gate` is asked about the methods of
  /// JSON-RPC, and `random` is the shard's. Clients expect a coordinator with the wording of
  /// odd_wordings.hpp.
  HttpApi(Coordinator& coordinator, const Gate& gate, RandomSource& random, const Clock& clock,
          HttpApiOptions options = {}, const RouteTable& routes = RouteTable::standard());
  HttpApi(const HttpApi&) = delete;
  HttpApi& operator=(const HttpApi&) = delete;

  /// Adds the routes. `router` asks its gate about each request. A path with a trailing slash is
  /// redirected to the path without it.
  void register_on(GatedRouter& router);

  /// The paths of the protocol's routes. A `*` at the end of a path stands for the rest of the
  /// path.
  static std::vector<std::string_view> paths();

  /// Counts requests by the last part of their path; `unknown` counts requests without a handler.
  const ApiProbe& probe() const noexcept { return probe_; }

 private:
  using TransOperation = Async<> (Coordinator::*)(TransRequest, RequestContext);
  using GidOperation = Async<> (Coordinator::*)(Gid, RequestContext);
  using ReasonedOperation = Async<> (Coordinator::*)(Gid, RequestContext, std::string reason);
  using OperatorOperation = Task<HttpResponse> (OperatorApi::*)(HttpRequest, RequestContext);
  using BranchOperation = Async<> (Coordinator::*)(BranchRequest, RequestContext);

  friend class RouteTable;  // It names the handlers of the routes.

  void add(GatedRouter& router, std::string_view method, const Route& route,
           const RouteHandler& handler);
  RouteHandler counted(std::string_view path, RouteHandler handler);
  Task<HttpResponse> count(ApiProbe::Entry& entry, Task<HttpResponse> handled);
  RouteHandler bound(const OwnHandlers& own);
  RouteHandler bound(BranchOperation operation);
  RouteHandler bound(TransOperation operation);
  RouteHandler bound(GidOperation operation);
  RouteHandler bound(ReasonedOperation operation);
  RouteHandler bound(OperatorOperation operation);
  static RouteHandler bound(RouteHandler handler) { return handler; }

  Task<HttpResponse> version(HttpRequest request, RequestContext context);
  Task<HttpResponse> new_gid(HttpRequest request, RequestContext context);
  Task<HttpResponse> query(HttpRequest request, RequestContext context);
  Task<HttpResponse> why(HttpRequest request, RequestContext context);
  Task<HttpResponse> audit(HttpRequest request, RequestContext context);
  Task<HttpResponse> begin(HttpRequest request, RequestContext context);
  Task<HttpResponse> all(HttpRequest request, RequestContext context);
  Task<HttpResponse> reset_cron_time(HttpRequest request, RequestContext context);
  Task<HttpResponse> subscribe(HttpRequest request, RequestContext context);
  Task<HttpResponse> unsubscribe(HttpRequest request, RequestContext context);
  Task<HttpResponse> delete_topic(HttpRequest request, RequestContext context);
  Task<HttpResponse> query_kv(HttpRequest request, RequestContext context);
  Task<HttpResponse> scan_kv(HttpRequest request, RequestContext context);
  Task<HttpResponse> json_rpc(HttpRequest request, RequestContext context);
  Task<HttpResponse> ping(HttpRequest request, RequestContext context);
  Task<HttpResponse> openapi(HttpRequest request, RequestContext context);
  Task<HttpResponse> register_branch(BranchOperation operation, HttpRequest request,
                                     RequestContext context);
  Task<HttpResponse> prepare_workflow(HttpRequest request, RequestContext context);
  Task<HttpResponse> change(TransOperation operation, HttpRequest request, RequestContext context);
  Task<HttpResponse> change_with_reason(ReasonedOperation operation, HttpRequest request,
                                        RequestContext context);
  Task<HttpResponse> change_by_gid(GidOperation operation, HttpRequest request,
                                   RequestContext context);

  Coordinator& coordinator_;
  const Gate& gate_;
  RandomSource& random_;
  const Clock& clock_;
  HttpApiOptions options_;
  OperatorApi operators_;
  const RouteTable& routes_;
  ApiProbe probe_;
};

}  // namespace concerto::net
