#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/action_audit.hpp>
#include <concerto/protocol/authenticator.hpp>
#include <concerto/protocol/request_limiter.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/protocol/site_guard.hpp>
#include <concerto/transport/address_set.hpp>
#include <concerto/transport/grpc_metadata.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

struct CONCERTO_EXPORT GateOptions {
  SiteGuardOptions sites;
  /// Finds out who the callers are. It must outlive the gate. Null: nobody is asked, and all
  /// callers have `roles`.
  Authenticator* authenticator = nullptr;
  RoleSet roles = RoleSet::all();
  /// Gets the records of requests whose routes operate, refused ones too. Null: none are kept. It
  /// must outlive the gate.
  ActionAudit* audit = nullptr;
  /// Proxies that say from whom they have a request (X-Forwarded-For).
  AddressSet proxies{};
  /// Limits what each client may send. It must outlive the gate. Null: nothing is limited.
  RequestLimiter* limiter = nullptr;
  /// Where the requests arrive. What is not served there is refused, with `other_port` as the place
  /// to ask instead.
  ServedPort port = ServedPort::only;
  std::string other_port{};
};

/// Lets requests in or refuses them. Each front end asks the gate one question about every request,
/// before it reads what the request is about: may this request, from this caller, do what the route
/// needs? And is it served at this port? The gate answers nothing if the request is let in, and
/// notes the caller in the request's context. Malformed requests, and methods of JSON-RPC and gRPC
/// without a route, are refused before the gate.
///
/// Requests that need a role count for the limits of their client, unless it is an operator who is
/// known. A request of JSON-RPC counts once.
///
/// Each shard has its own, because it has an Authenticator.
class CONCERTO_EXPORT Gate {
 public:
  explicit Gate(GateOptions options = {});

  /// The gate of HTTP: the name of the server, browsers' pages (SiteGuard), roles.
  std::optional<Refusal> refuse_http(const RouteNeeds& needs, RequestContext& context,
                                     const HttpRequest& request) const;
  /// The gate of JSON-RPC: the roles that a method needs. refuse_http has let the HTTP request in.
  std::optional<Refusal> refuse_rpc(const RouteNeeds& needs, RequestContext& context,
                                    const HttpHeaders& headers,
                                    const PeerCertificate* certificate = nullptr) const;
  /// The gate of gRPC: roles. `certificate` is the client's; null without one.
  std::optional<Refusal> refuse_grpc(const RouteNeeds& needs, RequestContext& context,
                                     const GrpcMetadata& metadata,
                                     const PeerCertificate* certificate = nullptr,
                                     std::size_t message_bytes = 0) const;

  /// What a gate says of a request whose body has not come.
  struct HeadLook {
    std::optional<Refusal> refusal{};
    /// The sender may send such a request.
    bool is_known = false;
  };
  /// Looks at a request before its body comes. Refuses only whom nobody knows: what an unknown
  /// sender may not send takes no memory. A request that is not refused has to pass the whole gate
  /// when it has come.
  HeadLook look_at_http(const RouteNeeds& needs, RequestContext& context,
                        const HttpRequest& request) const;
  HeadLook look_at_grpc(const RouteNeeds& needs, RequestContext& context,
                        const GrpcMetadata& metadata, const PeerCertificate* certificate) const;

  /// Whether an HTTP request is from a caller who has a role. For routes that tell some callers
  /// more than others.
  bool is_from(RouteRole role, RequestContext context, const HttpRequest& request) const;

  /// Where operators' actions are recorded; null: nowhere.
  ActionAudit* audit() const noexcept { return audit_; }
  const AddressSet& proxies() const noexcept { return proxies_; }

 private:
  /// What the credentials of a request lead to.
  struct Seen {
    std::optional<Refusal> refusal{};
    bool is_operator = false;  ///< who is known
  };

  template <class Fields>
  Seen look_at(RouteRole role, RequestContext& context, const Fields& fields,
               const PeerCertificate* certificate) const;
  HeadLook head_look(RouteRole role, const RequestContext& context, Seen seen) const;
  /// Refuses what nobody has asked the sender of.
  Refusal before_caller(Refusal refusal) const;
  std::optional<Refusal> refuse_port(const RouteNeeds& needs, const Seen& seen) const;
  std::optional<Refusal> count(RouteRole role, const RequestContext& context, std::size_t bytes,
                               Seen& seen) const;

  SiteGuard sites_;
  Authenticator* const authenticator_;
  RoleSet roles_;
  ActionAudit* audit_;
  AddressSet proxies_;
  RequestLimiter* limiter_;
  ServedPort port_;
  std::string other_port_;
};

}  // namespace concerto::net
