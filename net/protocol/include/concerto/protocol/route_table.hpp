#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/gated_router.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

class GrpcApi;
class HttpApi;

/// What a front end does itself, since the request or the answer is unlike all others.
struct OwnHandlers {
  Task<HttpResponse> (HttpApi::*http)(HttpRequest, RequestContext);
  Task<GrpcReply> (GrpcApi::*grpc)(GrpcRequest, RequestContext) = nullptr;
};

/// What a route comes to. The front ends read and answer requests for these functions of the
/// coordinator without code for one of them. A RouteHandler serves a route that a program adds to
/// those of the protocol; only HTTP offers such a route.
using RouteOperation =
    std::variant<Async<> (Coordinator::*)(TransRequest, RequestContext),
                 Async<> (Coordinator::*)(BranchRequest, RequestContext),
                 Async<> (Coordinator::*)(Gid, RequestContext), OwnHandlers, RouteHandler>;

/// A route in all front ends that offer it.
struct Route {
  std::string_view path;     ///< of HTTP; `*` at its end stands for the rest of the path
  std::string_view methods;  ///< of HTTP, with blanks between; `*`: any
  std::string_view rpc;      ///< method of JSON-RPC; empty: none
  std::string_view grpc;     ///< method of dtmgimp.Dtm; empty: none
  RouteDeed deed;
  RouteRole role;
  RouteBrowser browser;
  RouteOperation operation;

  RouteNeeds needs() const noexcept { return {deed, role, browser}; }
};

/// The routes, each in one row. Does not change while front ends use it.
class RouteTable {
 public:
  /// The routes of the protocol. tools/checks/coverage_rules.py reads their rows too. A new route
  /// is a row there.
  static const RouteTable& standard();

  explicit RouteTable(std::span<const Route> rows);

  /// Adds a route. The texts of the row outlive the table. Aborts the process if a front end has
  /// the name of the route already, or if a front end cannot serve the operation.
  void add(Route row);

  std::span<const Route> rows() const noexcept { return rows_; }
  /// Returns the row of a method of JSON-RPC, null if there is none.
  const Route* find_rpc(std::string_view method) const noexcept;

 private:
  /// The routes of the protocol, whose rows name private functions of the front ends.
  static std::span<const Route> standard_rows();

  std::vector<Route> rows_;
};

}  // namespace concerto::net
