#include <algorithm>
#include <bitset>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/transport/target_guard.hpp>

#include "target/address_range.hpp"
#include "target/target_rule.hpp"

namespace concerto::net {
namespace {

constexpr std::string_view allow_key = "TargetAllow";
constexpr std::string_view deny_key = "TargetDeny";

std::string refused(const TargetPlace& place) {
  const bool needs_brackets = place.host.find(':') != place.host.npos;
  std::string text = "target ";
  text.append(place.scheme).append(needs_brackets ? "://[" : "://").append(place.host);
  text.append(needs_brackets ? "]:" : ":").append(std::to_string(place.port));
  return text + " is refused";
}

Error refusal(const TargetPlace& place, const std::string& why) {
  return make_error(Errc::invalid_request, refused(place) + ": " + why);
}

/// `looked_up` is the address of the place's name; empty if the text of the place is refused.
Error denied(const TargetPlace& place, const TargetRule& rule, const std::string& looked_up = {}) {
  std::string why(deny_key);
  why.append(looked_up.empty() ? " has" : " has the address " + looked_up + " of its name:");
  return refusal(place, why.append(" '").append(rule.text).append("'"));
}

Error not_allowed(const TargetPlace& place, const boost::asio::ip::address* looked_up = nullptr) {
  std::string why(allow_key);
  why.append(" does not have it");
  if (looked_up != nullptr) why.append(", nor the address ").append(looked_up->to_string());
  return refusal(place, why);
}

Result<std::vector<TargetRule>> read_key(std::string_view key, std::string_view list) {
  auto rules = read_target_rules(list);
  if (rules) return rules;
  return make_error(Errc::invalid_request, std::string(key) + ": " + rules.error().detail);
}

/// For each first byte of an IPv4 address, whether a rule may be about the address. Nearly all
/// addresses are done with it.
std::bitset<256> first_bytes_of(const std::vector<TargetRule>& rules) {
  std::bitset<256> bytes;
  for (std::uint32_t byte = 0; byte < bytes.size(); ++byte) {
    AddressRange block;
    block.network = AddressBits::of_v4(byte << 24);
    block.mask = {~std::uint64_t{0}, ~std::uint64_t{0} << 24};
    bytes[byte] = std::ranges::any_of(rules, [&](const TargetRule& rule) {
      return rule.kind == TargetRule::Kind::range && rule.range.overlaps(block);
    });
  }
  return bytes;
}

}  // namespace

struct TargetPolicy::Rules {
  std::string allow_text;
  std::string deny_text;
  std::vector<TargetRule> allow;
  std::vector<TargetRule> deny;
  std::vector<TargetRule> deny_names;  ///< of `deny`, all that are not about addresses
  std::bitset<256> denied_first_bytes;

  const TargetRule* denies_name(const TargetPlace& place, std::string_view name) const {
    for (const TargetRule& rule : deny_names) {
      if (rule.has_name(name) && rule.fits_scheme_and_port(place)) return &rule;
    }
    return nullptr;
  }

  const TargetRule* denies_address(const TargetPlace& place, const AddressBits& address) const {
    if (address.is_v4() && !denied_first_bytes[address.low >> 24 & 0xFF]) return nullptr;
    const CarriedAddresses carried(address);
    for (const TargetRule& rule : deny) {
      if (rule.kind != TargetRule::Kind::range || !rule.fits_scheme_and_port(place)) continue;
      const auto covers = [&](const AddressBits& each) { return rule.range.contains(each); };
      if (covers(address) || std::ranges::any_of(carried, covers)) return &rule;
    }
    return nullptr;
  }

  bool allows_name(const TargetPlace& place, std::string_view name) const {
    return allow.empty() || std::ranges::any_of(allow, [&](const TargetRule& rule) {
             return rule.has_name(name) && rule.fits_scheme_and_port(place);
           });
  }

  bool allows_address(const TargetPlace& place, const AddressBits& address) const {
    return std::ranges::any_of(allow, [&](const TargetRule& rule) {
      return rule.kind == TargetRule::Kind::range && rule.range.contains(address) &&
             rule.fits_scheme_and_port(place);
    });
  }

  /// Whether the name's addresses decide.
  bool may_allow_an_address(const TargetPlace& place) const {
    return std::ranges::any_of(allow, [&](const TargetRule& rule) {
      return rule.kind == TargetRule::Kind::range && rule.fits_scheme_and_port(place);
    });
  }

  /// `name` is empty if the host is itself an address: the zone of an IPv6 address may look like a
  /// name.
  Result<> check(const TargetPlace& place, std::string_view name, const AddressBits& address,
                 const boost::asio::ip::address* looked_up = nullptr) const {
    if (const TargetRule* rule = denies_name(place, name)) return denied(place, *rule);
    if (const TargetRule* rule = denies_address(place, address)) {
      return denied(place, *rule, looked_up ? looked_up->to_string() : std::string{});
    }
    if (allows_name(place, name) || allows_address(place, address)) return ok();
    return not_allowed(place, looked_up);
  }
};

TargetPlace place_of(const Url& url) noexcept {
  TargetPlace place;
  place.scheme = url.is_https ? "https" : "http";
  place.host = url.host;
  place.port = parse_port(url.port).value_or(0);
  return place;
}

TargetPolicy::TargetPolicy() {
  auto standard = make({}, standard_deny);
  CONCERTO_ASSERT(standard.has_value());
  rules_ = std::move(standard->rules_);
}

Result<TargetPolicy> TargetPolicy::make(std::string_view allow, std::string_view deny) {
  auto rules = std::make_shared<Rules>();
  rules->allow_text = allow;
  rules->deny_text = deny;
  CONCERTO_TRY(rules->allow, read_key(allow_key, allow));
  CONCERTO_TRY(rules->deny, read_key(deny_key, deny));
  std::ranges::copy_if(rules->deny, std::back_inserter(rules->deny_names),
                       [](const TargetRule& rule) { return rule.kind != TargetRule::Kind::range; });
  rules->denied_first_bytes = first_bytes_of(rules->deny);
  return TargetPolicy(std::move(rules));
}

Result<> TargetPolicy::check(const TargetPlace& place) const {
  if (const auto address = read_address(place.host)) return rules_->check(place, {}, *address);
  const std::string_view name = without_last_dot(place.host);
  if (const auto* rule = rules_->denies_name(place, name)) return denied(place, *rule);
  if (rules_->allows_name(place, name) || rules_->may_allow_an_address(place)) return ok();
  return not_allowed(place);
}

Result<> TargetPolicy::check(const TargetPlace& place,
                             const boost::asio::ip::address& address) const {
  if (read_address(place.host)) return rules_->check(place, {}, bits_of(address));
  return rules_->check(place, without_last_dot(place.host), bits_of(address), &address);
}

Result<> TargetPolicy::check_unresolved(const TargetPlace& place) const {
  if (const auto address = read_address(place.host)) return rules_->check(place, {}, *address);
  const std::string_view name = without_last_dot(place.host);
  if (const auto* rule = rules_->denies_name(place, name)) return denied(place, *rule);
  return rules_->allows_name(place, name) ? ok() : Result<>(not_allowed(place));
}

Result<> TargetGuard::shown(const TargetPlace& place, Result<> checked) const {
  if (checked) return checked;
  if (tell_) tell_(checked.error().detail);
  return make_error(Errc::invalid_request, refused(place) + " by " + std::string(allow_key) +
                                               " or " + std::string(deny_key));
}

bool TargetPolicy::operator==(const TargetPolicy& other) const noexcept {
  return rules_->allow_text == other.rules_->allow_text &&
         rules_->deny_text == other.rules_->deny_text;
}

}  // namespace concerto::net
