#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto::net {

/// What a request does to the data of the coordinator.
enum class RouteDeed : std::uint8_t {
  reads,
  changes,   ///< begins or continues transactions, as an application does
  operates,  ///< intervenes in transactions or topics, as an operator does
};

/// Who may use a route.
enum class RouteRole : std::uint8_t {
  anyone,     ///< probes
  callers,    ///< everybody who has one of the roles below
  clients,    ///< applications
  viewers,    ///< people who look
  operators,  ///< people who intervene
};

/// Which pages may make a browser send a request.
enum class RouteBrowser : std::uint8_t {
  any_page,   ///< all pages; those of other sites do not see the answer
  own_pages,  ///< only pages of this server
};

/// A port of a server whose operators have a port of their own; `only` otherwise.
enum class ServedPort : std::uint8_t { only, clients, operators };

/// What a route requires of a request. The gate compares each request with the needs of its route.
struct RouteNeeds {
  RouteDeed deed;
  RouteRole role;
  RouteBrowser browser;
  std::string_view name{};         ///< of the route, for the audit log
  bool is_operators_page = false;  ///< a page for operators that has no data itself

  /// By the role: what applications need is at their ports, what viewers and operators need is at
  /// the operators' port, and probes and what every caller may do are at each port.
  constexpr bool is_served_at(ServedPort port) const noexcept {
    if (port == ServedPort::only) return true;
    switch (role) {
      case RouteRole::clients:
        return port == ServedPort::clients;
      case RouteRole::viewers:
      case RouteRole::operators:
        return port == ServedPort::operators;
      case RouteRole::anyone:
      case RouteRole::callers:
        return port == ServedPort::operators || !is_operators_page;
    }
    return true;
  }
  bool is_change() const noexcept { return deed != RouteDeed::reads; }
};

/// Some of the roles of a caller. RouteRole::anyone is always one of them, and RouteRole::callers
/// is one of them if there is another.
class CONCERTO_EXPORT RoleSet {
 public:
  constexpr RoleSet(std::initializer_list<RouteRole> roles) noexcept {
    for (const RouteRole role : roles) bits_ |= bit(role);
  }
  static constexpr RoleSet all() noexcept {
    return {RouteRole::clients, RouteRole::viewers, RouteRole::operators};
  }
  constexpr bool has(RouteRole role) const noexcept {
    if (role == RouteRole::anyone) return true;
    return role == RouteRole::callers ? !empty() : (bits_ & bit(role)) != 0;
  }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr void add(RoleSet others) noexcept { bits_ |= others.bits_; }
  bool operator==(const RoleSet&) const = default;

 private:
  static constexpr unsigned bit(RouteRole role) noexcept {
    return 1U << static_cast<unsigned>(role);
  }
  unsigned bits_ = 0;
};

/// Why a request is refused. Each front end has its own form of answer for it (error_answers.hpp).
struct Refusal {
  enum class Kind : std::uint8_t {
    forbidden,       ///< HTTP 403, gRPC PERMISSION_DENIED
    wrong_method,    ///< HTTP 405: the request has to be a POST
    unknown_caller,  ///< HTTP 401, gRPC UNAUTHENTICATED: no token and no certificate
    wrong_token,     ///< likewise: the token is not valid
    too_many_wrong,  ///< HTTP 429, gRPC RESOURCE_EXHAUSTED: the token was not looked at
    limited,         ///< likewise: the client sends too much (RequestLimiter)
  };
  Kind kind;
  std::string sentence;              ///< says why, and what would help
  unsigned retry_after_seconds = 1;  ///< of Kind::limited
  bool before_caller = false;        ///< refused before anybody asked who sends the request
};

}  // namespace concerto::net
