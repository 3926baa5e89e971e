#include <string_view>
#include <utility>

#include <concerto/base/base64.hpp>
#include <concerto/protocol/gate.hpp>

#include "api/audited.hpp"

namespace concerto::net {
namespace {

std::string_view name_of(RouteRole role) noexcept {
  switch (role) {
    case RouteRole::anyone:
      return "anyone";
    case RouteRole::callers:
      return "callers with a role";
    case RouteRole::clients:
      return "clients";
    case RouteRole::viewers:
      return "viewers";
    case RouteRole::operators:
      return "operators";
  }
  return "";
}

/// What follows the name of a scheme, which is written in any case; nothing for another scheme.
std::optional<std::string_view> after_scheme(std::string_view field, std::string_view scheme) {
  const bool is_it = equals_ignoring_case(field.substr(0, scheme.size()), scheme) &&
                     field.substr(scheme.size()).find_first_of(" \t") == 0;
  if (!is_it) return std::nullopt;
  return trim_blanks(field.substr(scheme.size()));
}

/// The token of `Bearer <token>` (RFC 6750, section 2.1), or the password of `Basic` (RFC 7617),
/// which is all that some clients can send. Empty if it is neither. `decoded` keeps the password.
std::string_view token_in(std::string_view field, std::string& decoded) {
  if (const auto token = after_scheme(field, "Bearer")) return *token;
  const auto basic = after_scheme(field, "Basic");
  if (!basic) return {};
  decoded = base64_decode(*basic).value_or(std::string{});
  const std::size_t colon = decoded.find(':');
  return colon == std::string::npos ? std::string_view{}
                                    : std::string_view{decoded}.substr(colon + 1);
}

/// The fields of the name Authorization: the first of them, and how many there are.
struct Authorization {
  std::string_view value;
  std::size_t count = 0;
};

template <class Fields>
Authorization authorization_in(const Fields& fields) {
  Authorization found;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = fields[i];
    if (!equals_ignoring_case(field.name, "authorization")) continue;
    if (++found.count == 1) found.value = field.value;
  }
  return found;
}

std::optional<Refusal> refusal_of(Identity::Kind kind) {
  switch (kind) {
    case Identity::Kind::known:
      return std::nullopt;
    case Identity::Kind::no_credentials:
      return Refusal{Refusal::Kind::unknown_caller,
                     "this request needs a token (Authorization: Bearer ...), or a client "
                     "certificate that is known here"};
    case Identity::Kind::wrong_token:
      return Refusal{Refusal::Kind::wrong_token,
                     "the token of this request is unknown, expired or not valid yet"};
    case Identity::Kind::too_many_wrong:
      return Refusal{Refusal::Kind::too_many_wrong,
                     "too many wrong tokens have come from this address: try again later"};
  }
  return std::nullopt;
}

Refusal bad_field() {
  return {Refusal::Kind::wrong_token,
          "Authorization: expected one field with Bearer and a token, or with Basic and a token as "
          "the password"};
}

}  // namespace

Gate::Gate(GateOptions options)
    : sites_(std::move(options.sites)),
      authenticator_(options.authenticator),
      roles_(options.roles),
      audit_(options.audit),
      proxies_(std::move(options.proxies)),
      limiter_(options.limiter),
      port_(options.port),
      other_port_(std::move(options.other_port)) {}

std::optional<Refusal> Gate::refuse_http(const RouteNeeds& needs, RequestContext& context,
                                         const HttpRequest& request) const {
  if (auto refusal = sites_.refuse(needs, request)) return before_caller(std::move(*refusal));
  Seen seen = look_at(needs.role, context, request.headers, request.certificate.get());
  if (auto refusal = refuse_port(needs, seen)) return refusal;
  return count(needs.role, context, request.body.size(), seen);
}

std::optional<Refusal> Gate::refuse_rpc(const RouteNeeds& needs, RequestContext& context,
                                        const HttpHeaders& headers,
                                        const PeerCertificate* certificate) const {
  return look_at(needs.role, context, headers, certificate).refusal;
}

std::optional<Refusal> Gate::refuse_grpc(const RouteNeeds& needs, RequestContext& context,
                                         const GrpcMetadata& metadata,
                                         const PeerCertificate* certificate,
                                         std::size_t message_bytes) const {
  Seen seen = look_at(needs.role, context, metadata, certificate);
  if (auto refusal = refuse_port(needs, seen)) return refusal;
  return count(needs.role, context, message_bytes, seen);
}

Gate::HeadLook Gate::look_at_http(const RouteNeeds& needs, RequestContext& context,
                                  const HttpRequest& request) const {
  if (authenticator_ == nullptr) return {{}, true};
  if (auto refusal = sites_.refuse(needs, request)) return {before_caller(std::move(*refusal))};
  Seen seen = look_at(needs.role, context, request.headers, request.certificate.get());
  return head_look(needs.role, context, std::move(seen));
}

Gate::HeadLook Gate::look_at_grpc(const RouteNeeds& needs, RequestContext& context,
                                  const GrpcMetadata& metadata,
                                  const PeerCertificate* certificate) const {
  if (authenticator_ == nullptr) return {{}, true};
  return head_look(needs.role, context, look_at(needs.role, context, metadata, certificate));
}

/// A known sender whose role does not suffice is refused when the body has come, since the record
/// of the attempt says what it was about.
Gate::HeadLook Gate::head_look(RouteRole role, const RequestContext& context, Seen seen) const {
  if (is_of_stranger(seen.refusal)) return {count(role, context, 0, seen)};
  return {{}, role != RouteRole::anyone};
}

/// Behind the question who asks: the record of the attempt says it, if it is known.
std::optional<Refusal> Gate::refuse_port(const RouteNeeds& needs, const Seen& seen) const {
  if (needs.is_served_at(port_)) return std::nullopt;
  Refusal refusal{Refusal::Kind::forbidden, "this request is answered only at " + other_port_};
  refusal.before_caller = is_of_stranger(seen.refusal);
  return refusal;
}

Refusal Gate::before_caller(Refusal refusal) const {
  refusal.before_caller = authenticator_ != nullptr;
  return refusal;
}

/// A refused request counts too, for the address of its client if nobody is known.
std::optional<Refusal> Gate::count(RouteRole role, const RequestContext& context, std::size_t bytes,
                                   Seen& seen) const {
  const bool counts = limiter_ != nullptr && limiter_->is_on() && role != RouteRole::anyone;
  if (counts && !seen.is_operator) {
    if (auto limited = limiter_->refuse(context, bytes)) return limited;
  }
  return std::move(seen.refusal);
}

bool Gate::is_from(RouteRole role, RequestContext context, const HttpRequest& request) const {
  return !look_at(role, context, request.headers, request.certificate.get()).refusal;
}

template <class Fields>
Gate::Seen Gate::look_at(RouteRole role, RequestContext& context, const Fields& fields,
                         const PeerCertificate* certificate) const {
  Seen seen;
  RoleSet roles = roles_;
  if (authenticator_ != nullptr && role != RouteRole::anyone) {
    std::string decoded;
    Credentials credentials{{}, certificate};
    if (const Authorization field = authorization_in(fields); field.count > 0) {
      credentials.bearer = token_in(field.value, decoded);
      // A certificate does not count then: somebody may have passed on what another one sent.
      if (credentials.bearer.empty() || field.count > 1) {
        seen.refusal = bad_field();
        return seen;
      }
    }
    const Identity identity = authenticator_->identify(credentials, context.peer);
    seen.refusal = refusal_of(identity.kind);
    if (seen.refusal) return seen;
    context.caller = identity.caller.id;
    roles = identity.caller.roles;
    seen.is_operator = roles.has(RouteRole::operators);
  }
  if (!roles.has(role)) {
    seen.refusal = Refusal{Refusal::Kind::forbidden,
                           "this request is for " + std::string{name_of(role)} + " only"};
  }
  return seen;
}

}  // namespace concerto::net
