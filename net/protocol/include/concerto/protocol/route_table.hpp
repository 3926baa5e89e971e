#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/gated_router.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

class GrpcApi;
class HttpApi;
class OperatorApi;

/// Functions of the front ends for a route whose request or answer has its own form.
struct CONCERTO_EXPORT OwnHandlers {
  Task<HttpResponse> (HttpApi::*http)(HttpRequest, RequestContext);
  Task<GrpcReply> (GrpcApi::*grpc)(GrpcRequest, RequestContext) = nullptr;
};

/// What a route does. For functions of the coordinator with these types the front ends have common
/// code, which reads the request and answers it. A RouteHandler serves a route that a program adds
/// to the protocol's; only HTTP has such routes.
using RouteOperation =
    std::variant<Async<> (Coordinator::*)(TransRequest, RequestContext),
                 Async<> (Coordinator::*)(BranchRequest, RequestContext),
                 Async<> (Coordinator::*)(Gid, RequestContext),
                 Async<> (Coordinator::*)(Gid, RequestContext, std::string reason), OwnHandlers,
                 Task<HttpResponse> (OperatorApi::*)(HttpRequest, RequestContext), RouteHandler>;

/// A route in all front ends that offer it.
struct Route {
  std::string_view path;     ///< of HTTP; a `*` at the end stands for the rest of the path
  std::string_view methods;  ///< of HTTP, with blanks between them; `*`: any method
  std::string_view rpc;      ///< method of JSON-RPC; empty: none
  std::string_view grpc;     ///< method of dtmgimp.Dtm; empty: none
  RouteDeed deed;
  RouteRole role;
  RouteBrowser browser;
  RouteOperation operation;

  RouteNeeds needs() const noexcept { return {deed, role, browser, name()}; }

  /// For the audit log: the method of gRPC, or else the last part of the path.
  std::string_view name() const noexcept {
    return grpc.empty() ? path.substr(path.rfind('/') + 1) : grpc;
  }
};

/// All routes, with one row for each. The table must not change while front ends use it.
class CONCERTO_EXPORT RouteTable {
 public:
  /// The routes of the protocol. tools/checks/coverage_rules.py reads their rows too. A new route
  /// is a row there.
  static const RouteTable& standard();

  explicit RouteTable(std::span<const Route> rows);

  /// Adds a route. The texts of the row must outlive the table. Aborts the process if a front end
  /// already has a route of this name, or if a front end cannot serve the operation.
  void add(Route row);

  std::span<const Route> rows() const noexcept { return rows_; }
  /// Returns the row of a JSON-RPC method; null if there is none.
  const Route* find_rpc(std::string_view method) const noexcept;

 private:
  /// The routes of the protocol, whose rows name private functions of the front ends.
  static std::span<const Route> standard_rows();
  static std::span<const Route> server_rows();

  std::vector<Route> rows_;
};

}  // namespace concerto::net
