#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace concerto::net {

/// What a request does with what the coordinator keeps.
enum class RouteDeed : std::uint8_t {
  reads,
  changes,   ///< makes transactions, or moves them on, as an application does
  operates,  ///< intervenes in transactions or topics, as an operator does
};

/// For whom a route is.
enum class RouteRole : std::uint8_t {
  anyone,     ///< probes and descriptions
  clients,    ///< applications
  viewers,    ///< people who look
  operators,  ///< people who intervene
};

/// Whose pages a browser may send a request for.
enum class RouteBrowser : std::uint8_t {
  any_page,   ///< the page does not see the answer
  own_pages,  ///< pages of this server
};

/// What a route needs of a request. Gate compares a request with the needs of its route.
struct RouteNeeds {
  RouteDeed deed;
  RouteRole role;
  RouteBrowser browser;

  bool is_change() const noexcept { return deed != RouteDeed::reads; }
};

/// Some of the roles. RouteRole::anyone is always one of them.
class RoleSet {
 public:
  constexpr RoleSet(std::initializer_list<RouteRole> roles) noexcept {
    for (const RouteRole role : roles) bits_ |= bit(role);
  }
  static constexpr RoleSet all() noexcept {
    return {RouteRole::clients, RouteRole::viewers, RouteRole::operators};
  }
  constexpr bool has(RouteRole role) const noexcept {
    return role == RouteRole::anyone || (bits_ & bit(role)) != 0;
  }

 private:
  static constexpr unsigned bit(RouteRole role) noexcept {
    return 1U << static_cast<unsigned>(role);
  }
  unsigned bits_ = 0;
};

/// Why a request is not let in. Each front end answers it in its own way (error_answers.hpp).
struct Refusal {
  enum class Kind : std::uint8_t {
    forbidden,     ///< HTTP 403, gRPC PERMISSION_DENIED
    wrong_method,  ///< of HTTP: 405, as POST would be right
  };
  Kind kind;
  std::string sentence;  ///< says why, and what would help
};

}  // namespace concerto::net
