#include <string_view>
#include <utility>

#include <concerto/protocol/gate.hpp>

namespace concerto::net {
namespace {

std::string_view name_of(RouteRole role) noexcept {
  switch (role) {
    case RouteRole::anyone:
      return "anyone";
    case RouteRole::clients:
      return "clients";
    case RouteRole::viewers:
      return "viewers";
    case RouteRole::operators:
      return "operators";
  }
  return "";
}

}  // namespace

Gate::Gate(GateOptions options)
    : sites_(std::move(options.sites)), roles_(options.roles), audit_(options.audit) {}

std::optional<Refusal> Gate::refuse_http(const RouteNeeds& needs, const RequestContext& context,
                                         const HttpRequest& request) const {
  if (auto refusal = sites_.refuse(needs, request)) return refusal;
  return refuse_role(needs.role, context);
}

std::optional<Refusal> Gate::refuse_rpc(const RouteNeeds& needs, const RequestContext& context,
                                        const HttpHeaders& /*headers*/) const {
  return refuse_role(needs.role, context);
}

std::optional<Refusal> Gate::refuse_grpc(const RouteNeeds& needs, const RequestContext& context,
                                         const GrpcMetadata& /*metadata*/) const {
  return refuse_role(needs.role, context);
}

std::optional<Refusal> Gate::refuse_role(RouteRole role, const RequestContext& /*context*/) const {
  if (roles_.has(role)) return std::nullopt;
  return Refusal{Refusal::Kind::forbidden,
                 "this request is for " + std::string{name_of(role)} + " only"};
}

}  // namespace concerto::net
