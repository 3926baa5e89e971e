#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/protocol/api_grpc.hpp>
#include <concerto/protocol/api_http.hpp>
#include <concerto/protocol/route_table.hpp>

namespace concerto::net {
namespace {

using Ops = OperatorApi;

/// True if the rows have the same name in a front end. An empty name does not count.
bool share_a_name(const Route& a, const Route& b) noexcept {
  const auto same = [](std::string_view left, std::string_view right) {
    return !left.empty() && left == right;
  };
  return same(a.path, b.path) || same(a.rpc, b.rpc) || same(a.grpc, b.grpc);
}

}  // namespace

const RouteTable& RouteTable::standard() {
  static const RouteTable table = [] {
    RouteTable all{standard_rows()};
    for (const Route& row : server_rows()) all.add(row);
    return all;
  }();
  return table;
}

RouteTable::RouteTable(std::span<const Route> rows) {
  rows_.reserve(rows.size());
  for (const Route& row : rows) add(row);
}

void RouteTable::add(Route row) {
  CONCERTO_ASSERT(
      std::ranges::none_of(rows_, [&row](const Route& other) { return share_a_name(row, other); }));
  const bool only_http = std::holds_alternative<RouteHandler>(row.operation);
  CONCERTO_ASSERT(!only_http || (row.rpc.empty() && row.grpc.empty()));
  rows_.push_back(std::move(row));
}

std::span<const Route> RouteTable::standard_rows() {
  using enum RouteDeed;
  using enum RouteRole;
  using enum RouteBrowser;
  using Http = HttpApi;
  using Grpc = GrpcApi;
  // HTTP path and methods, JSON-RPC method, gRPC method, deed, role, browser, operation
  static const Route table[] = {
      {"/api/dtmsvr/version", "GET", "", "", reads, callers, any_page, OwnHandlers{&Http::version}},
      {"/api/dtmsvr/newGid", "GET", "newGid", "NewGid", reads, clients, any_page,
       OwnHandlers{&Http::new_gid, &Grpc::new_gid}},
      {"/api/dtmsvr/prepare", "POST", "prepare", "Prepare", changes, clients, own_pages,
       &Coordinator::prepare},
      {"/api/dtmsvr/submit", "POST", "submit", "Submit", changes, clients, own_pages,
       &Coordinator::submit},
      {"/api/dtmsvr/abort", "POST", "abort", "Abort", changes, clients, own_pages,
       &Coordinator::abort},
      {"/api/dtmsvr/registerBranch", "POST", "registerBranch", "RegisterBranch", changes, clients,
       own_pages, &Coordinator::register_branch},
      {"/api/dtmsvr/registerXaBranch", "POST", "", "", changes, clients, own_pages,
       &Coordinator::register_branch},
      {"/api/dtmsvr/registerTccBranch", "POST", "", "", changes, clients, own_pages,
       &Coordinator::register_branch},
      {"/api/dtmsvr/prepareWorkflow", "POST", "", "PrepareWorkflow", changes, clients, own_pages,
       OwnHandlers{&Http::prepare_workflow, &Grpc::prepare_workflow}},
      {"/api/dtmsvr/forceStop", "POST", "", "", operates, operators, own_pages,
       &Coordinator::force_stop},
      {"/api/dtmsvr/resetNextCronTime", "POST", "", "", operates, operators, own_pages,
       &Coordinator::reset_next_cron_time},
      {"/api/dtmsvr/resetCronTime", "GET POST", "", "", operates, operators, own_pages,
       OwnHandlers{&Http::reset_cron_time}},
      {"/api/dtmsvr/subscribe", "GET POST", "", "Subscribe", operates, operators, own_pages,
       OwnHandlers{&Http::subscribe, &Grpc::subscribe}},
      {"/api/dtmsvr/unsubscribe", "GET POST", "", "Unsubscribe", operates, operators, own_pages,
       OwnHandlers{&Http::unsubscribe, &Grpc::unsubscribe}},
      {"/api/dtmsvr/topic/*", "DELETE", "", "DeleteTopic", operates, operators, own_pages,
       OwnHandlers{&Http::delete_topic, &Grpc::delete_topic}},
      {"/api/dtmsvr/query", "GET", "", "", reads, callers, any_page, OwnHandlers{&Http::query}},
      {"/api/dtmsvr/all", "GET", "", "", reads, viewers, any_page, OwnHandlers{&Http::all}},
      {"/api/dtmsvr/queryKV", "GET", "", "", reads, viewers, any_page,
       OwnHandlers{&Http::query_kv}},
      {"/api/dtmsvr/scanKV", "GET", "", "", reads, viewers, any_page, OwnHandlers{&Http::scan_kv}},
      {"/api/concerto/why", "GET", "", "", reads, callers, any_page, OwnHandlers{&Http::why}},
      {"/api/concerto/audit", "GET", "", "", reads, viewers, any_page, OwnHandlers{&Http::audit}},
      {"/api/concerto/count", "GET", "", "", reads, viewers, any_page, &Ops::count},
      {"/api/concerto/damaged", "GET", "", "", reads, viewers, any_page, &Ops::damaged},
      {"/api/concerto/retry", "POST", "", "", operates, operators, own_pages, &Ops::retry},
      {"/api/concerto/stop", "POST", "", "", operates, operators, own_pages, &Ops::stop},
      {"/api/concerto/skip", "POST", "", "", operates, operators, own_pages, &Ops::skip},
      {"/api/concerto/edit", "POST", "", "", operates, operators, own_pages, &Ops::edit},
      {"/api/concerto/jobs", "GET", "", "", reads, viewers, any_page, &Ops::jobs},
      {"/api/concerto/cancelJob", "POST", "", "", operates, operators, own_pages, &Ops::cancel_job},
      {"/api/concerto/pauses", "GET", "", "", reads, viewers, any_page, &Ops::pauses},
      {"/api/concerto/pause", "POST", "", "", operates, operators, own_pages, &Ops::pause},
      {"/api/concerto/resume", "POST", "", "", operates, operators, own_pages, &Ops::resume},
      // The rows of the methods of JSON-RPC say what those need.
      {"/api/json-rpc", "POST", "", "", changes, clients, own_pages, OwnHandlers{&Http::json_rpc}},
  };
  return table;
}

/// About the coordinator as a whole.
std::span<const Route> RouteTable::server_rows() {
  using enum RouteDeed;
  using enum RouteRole;
  using enum RouteBrowser;
  using Http = HttpApi;
  static const Route table[] = {
      {"/api/concerto/begin", "POST", "", "", operates, operators, own_pages,
       OwnHandlers{&Http::begin}},
      {"/api/openapi.json", "GET", "", "", reads, callers, any_page, OwnHandlers{&Http::openapi}},
      {"/api/ping", "*", "", "", reads, anyone, any_page, OwnHandlers{&Http::ping}},
  };
  return table;
}

const Route* RouteTable::find_rpc(std::string_view method) const noexcept {
  const auto found = std::ranges::find_if(
      rows_, [method](const Route& route) { return !route.rpc.empty() && route.rpc == method; });
  return found == rows_.end() ? nullptr : &*found;
}

}  // namespace concerto::net
