#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <concerto/base/random_source.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/api_probe.hpp>
#include <concerto/transport/http_router.hpp>

namespace concerto::net {

struct OwnHandlers;
struct Route;

struct HttpApiOptions {
  std::string version = "v0.0.0-dev";   ///< the answer of `version`
  std::chrono::minutes zone_offset{0};  ///< of times in answers, ahead of UTC
  /// Without a timeout, resetCronTime wakes transactions that have longer than this to wait.
  std::chrono::seconds reset_beyond{105};
};

/// The HTTP interface of the coordinator (protocol page 02). HttpApi only translates: requests into
/// calls of the Coordinator, and results into answers.
///
/// Serves everything under /api/dtmsvr, /api/json-rpc, /api/ping, /api/concerto/why and
/// /api/openapi.json. Each shard has its own HttpApi and uses it alone. It must outlive the servers
/// that use the router.
class HttpApi {
 public:
  /// The referenced objects must outlive the HttpApi. `random` is the shard's. Clients expect a
  /// coordinator with the wording of odd_wordings.hpp.
  HttpApi(Coordinator& coordinator, RandomSource& random, const Clock& clock,
          HttpApiOptions options = {});
  HttpApi(const HttpApi&) = delete;
  HttpApi& operator=(const HttpApi&) = delete;

  /// Adds the routes. A path with a trailing slash is redirected to the path without it.
  void register_on(Router& router);

  /// Counts requests by the last part of their path; `unknown` counts requests without a handler.
  const ApiProbe& probe() const noexcept { return probe_; }

 private:
  using TransOperation = Async<> (Coordinator::*)(TransRequest, RequestContext);
  using GidOperation = Async<> (Coordinator::*)(Gid, RequestContext);
  using BranchOperation = Async<> (Coordinator::*)(BranchRequest, RequestContext);

  friend class RouteTable;  // It names the handlers of the routes.

  void add(Router& router, std::string_view method, const Route& route, const HttpHandler& handler);
  HttpHandler counted(std::string_view path, HttpHandler handler);
  Task<HttpResponse> count(ApiProbe::Entry& entry, Task<HttpResponse> handled);
  HttpHandler bound(const OwnHandlers& own);
  HttpHandler bound(BranchOperation operation);
  HttpHandler bound(TransOperation operation);
  HttpHandler bound(GidOperation operation);

  Task<HttpResponse> version(HttpRequest request);
  Task<HttpResponse> new_gid(HttpRequest request);
  Task<HttpResponse> query(HttpRequest request);
  Task<HttpResponse> why(HttpRequest request);
  Task<HttpResponse> all(HttpRequest request);
  Task<HttpResponse> reset_cron_time(HttpRequest request);
  Task<HttpResponse> subscribe(HttpRequest request);
  Task<HttpResponse> unsubscribe(HttpRequest request);
  Task<HttpResponse> delete_topic(HttpRequest request);
  Task<HttpResponse> query_kv(HttpRequest request);
  Task<HttpResponse> scan_kv(HttpRequest request);
  Task<HttpResponse> json_rpc(HttpRequest request);
  Task<HttpResponse> ping(HttpRequest request);
  Task<HttpResponse> openapi(HttpRequest request);
  Task<HttpResponse> register_branch(BranchOperation operation, HttpRequest request);
  Task<HttpResponse> prepare_workflow(HttpRequest request);
  Task<HttpResponse> change(TransOperation operation, HttpRequest request);
  Task<HttpResponse> change_by_gid(GidOperation operation, HttpRequest request);

  Coordinator& coordinator_;
  RandomSource& random_;
  const Clock& clock_;
  HttpApiOptions options_;
  ApiProbe probe_;
};

}  // namespace concerto::net
