#pragma once

#include <span>
#include <string_view>
#include <variant>

#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/api_grpc.hpp>
#include <concerto/protocol/api_http.hpp>
#include <concerto/protocol/route_needs.hpp>

namespace concerto::net {

/// Functions of the front ends for a route whose request or answer has its own form.
struct OwnHandlers {
  Task<HttpResponse> (HttpApi::*http)(HttpRequest, RequestContext);
  Task<GrpcReply> (GrpcApi::*grpc)(GrpcRequest, RequestContext) = nullptr;
};

/// What a route does. For functions of the coordinator with these types the front ends have common
/// code, which reads the request and answers it.
using RouteOperation = std::variant<Async<> (Coordinator::*)(TransRequest, RequestContext),
                                    Async<> (Coordinator::*)(BranchRequest, RequestContext),
                                    Async<> (Coordinator::*)(Gid, RequestContext), OwnHandlers>;

/// A route of the protocol in all front ends that have it.
struct Route {
  std::string_view path;     ///< of HTTP; a `*` at the end stands for the rest of the path
  std::string_view methods;  ///< of HTTP, with blanks between them; `*`: any method
  std::string_view rpc;      ///< method of JSON-RPC; empty: none
  std::string_view grpc;     ///< method of dtmgimp.Dtm; empty: none
  RouteDeed deed;
  RouteRole role;
  RouteBrowser browser;
  RouteOperation operation;

  RouteNeeds needs() const noexcept { return {deed, role, browser}; }
};

/// All routes, with one row for each. tools/checks/coverage_rules.py reads the rows too.
class RouteTable {
 public:
  static std::span<const Route> rows();
  /// The row of a JSON-RPC method; null if there is none.
  static const Route* find_rpc(std::string_view method) noexcept;
};

}  // namespace concerto::net
