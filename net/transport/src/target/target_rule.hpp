#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/transport/target_policy.hpp>

#include "target/address_range.hpp"

namespace concerto::net {

/// One rule of TargetAllow or TargetDeny; a word for a group becomes several.
struct TargetRule {
  enum class Kind : std::uint8_t {
    any,          ///< every host
    name,         ///< one name
    names_below,  ///< all names that end in `name`, which begins with a dot
    range,        ///< addresses
  };

  Kind kind = Kind::any;
  std::string text;    ///< as the operator wrote it
  std::string scheme;  ///< empty: every scheme
  std::string name;
  AddressRange range;
  std::uint16_t port_min = 0;
  std::uint16_t port_max = 65'535;

  bool fits_scheme_and_port(const TargetPlace& place) const noexcept {
    return place.port >= port_min && place.port <= port_max &&
           (scheme.empty() || scheme == place.scheme);
  }
  /// Whether the rule is about this host by its name alone.
  bool has_name(std::string_view host) const noexcept;
};

/// The host without the dot that makes a name absolute.
std::string_view without_last_dot(std::string_view host) noexcept;

/// Reads a list of rules, separated by commas. The error's detail says what is expected and shows
/// the rule.
Result<std::vector<TargetRule>> read_target_rules(std::string_view list);

}  // namespace concerto::net
