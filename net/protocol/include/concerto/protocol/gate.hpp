#pragma once

#include <optional>

#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/action_audit.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/protocol/site_guard.hpp>
#include <concerto/transport/grpc_metadata.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

struct CONCERTO_EXPORT GateOptions {
  SiteGuardOptions sites;
  /// The roles of every caller, since callers do not say who they are.
  RoleSet roles = RoleSet::all();
  /// Gets the records of requests whose routes operate, refused ones too. Null: none are kept. It
  /// must outlive the gate.
  ActionAudit* audit = nullptr;
};

/// Lets requests in or refuses them. Each front end asks the gate one question about every request,
/// before it reads what the request is about: may this request, from this caller, do what the route
/// needs? The gate answers nothing if the request is let in. Malformed requests, and methods of
/// JSON-RPC and gRPC without a route, are refused before the gate.
///
/// Immutable, so any thread may use it.
class CONCERTO_EXPORT Gate {
 public:
  explicit Gate(GateOptions options = {});

  /// The gate of HTTP: the name of the server, browsers' pages (SiteGuard), roles.
  std::optional<Refusal> refuse_http(const RouteNeeds& needs, const RequestContext& context,
                                     const HttpRequest& request) const;
  /// The gate of JSON-RPC: the roles that a method needs. refuse_http has let the HTTP request in.
  std::optional<Refusal> refuse_rpc(const RouteNeeds& needs, const RequestContext& context,
                                    const HttpHeaders& headers) const;
  /// The gate of gRPC: roles.
  std::optional<Refusal> refuse_grpc(const RouteNeeds& needs, const RequestContext& context,
                                     const GrpcMetadata& metadata) const;

  /// Where operators' actions are recorded; null: nowhere.
  ActionAudit* audit() const noexcept { return audit_; }

 private:
  std::optional<Refusal> refuse_role(RouteRole role, const RequestContext& context) const;

  SiteGuard sites_;
  RoleSet roles_;
  ActionAudit* audit_;
};

}  // namespace concerto::net
