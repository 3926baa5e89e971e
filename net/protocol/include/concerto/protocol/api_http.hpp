#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <concerto/base/random_source.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/api_probe.hpp>
#include <concerto/transport/http_router.hpp>

namespace concerto::net {

struct HttpApiOptions {
  std::string version = "v0.0.0-dev";   ///< what `version` answers
  std::chrono::minutes zone_offset{0};  ///< of the times in answers, east of UTC
  /// resetCronTime without a timeout wakes what waits for longer than this.
  std::chrono::seconds reset_beyond{105};
};

/// The HTTP interface of the coordinator (protocol page 02): translates requests to calls of the
/// Coordinator and their results to answers, nothing else.
///
/// Serves everything under /api/dtmsvr, /api/json-rpc, /api/ping, /api/concerto/why and
/// /api/openapi.json. One per shard, used on that shard only; it outlives the servers that use
/// the router.
class HttpApi {
 public:
  /// The referenced objects must outlive this one. `random` is the shard's. Clients expect a
  /// coordinator with the wording of odd_wordings.hpp.
  HttpApi(Coordinator& coordinator, RandomSource& random, const Clock& clock,
          HttpApiOptions options = {});
  HttpApi(const HttpApi&) = delete;
  HttpApi& operator=(const HttpApi&) = delete;

  /// Adds the routes; a path with a trailing slash is redirected to the one without.
  void register_on(Router& router);

  /// Requests by the last part of their path; `unknown` counts those without a handler.
  const ApiProbe& probe() const noexcept { return probe_; }

 private:
  using TransOperation = Async<> (Coordinator::*)(TransRequest, RequestContext);
  using GidOperation = Async<> (Coordinator::*)(Gid, RequestContext);
  using Handler = Task<HttpResponse> (HttpApi::*)(HttpRequest);

  void add(Router& router, std::string_view method, const std::string& path, HttpHandler handler);
  /// A request that changes something although it is a GET (protocol page 02, section 1). POST
  /// does the same, with the same query.
  void add_changing_get(Router& router, const std::string& name, HttpHandler handler);
  HttpHandler counted(std::string_view path, HttpHandler handler);
  Task<HttpResponse> count(ApiProbe::Entry& entry, Task<HttpResponse> handled);
  HttpHandler bound(Handler handler);
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
  Task<HttpResponse> register_branch(HttpRequest request);
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
