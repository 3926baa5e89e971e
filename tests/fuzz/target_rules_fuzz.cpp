// Rules about targets, as TargetAllow and TargetDeny have them. The input has a line with rules and
// one with a host. What rules allow, the same rules deny; and a host that the system reads as an
// address is judged as that address.

#include <netdb.h>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <netinet/in.h>

#include <concerto/transport/target_policy.hpp>

#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

/// What the system's resolver reads without a look-up.
std::optional<boost::asio::ip::address> numeric_address(std::string_view host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const std::string text(host);
  if (text.find('\0') != text.npos) return std::nullopt;
  if (::getaddrinfo(text.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  std::optional<boost::asio::ip::address> read;
  if (found->ai_family == AF_INET) {
    const auto* socket_address = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    read = boost::asio::ip::address_v4(ntohl(socket_address->sin_addr.s_addr));
  } else {
    const auto* socket_address = reinterpret_cast<const sockaddr_in6*>(found->ai_addr);
    boost::asio::ip::address_v6::bytes_type bytes;
    std::copy_n(socket_address->sin6_addr.s6_addr, bytes.size(), bytes.begin());
    read = boost::asio::ip::address_v6(bytes);
  }
  ::freeaddrinfo(found);
  return read;
}

void check_rules(std::string_view rules, const TargetPlace& place) {
  const auto allowing = TargetPolicy::make(rules, "");
  const auto denying = TargetPolicy::make("", rules);
  require(allowing.has_value() == denying.has_value());
  if (!allowing) {
    require(allowing.error().detail.starts_with("TargetAllow: "));
    require(denying.error().detail.starts_with("TargetDeny: "));
    return;
  }
  if (rules.find_first_not_of(", \t") == rules.npos) return;  // Without rules all is allowed.
  if (allowing->check_unresolved(place)) require(!denying->check(place));
  if (!allowing->check(place)) require(!allowing->check_unresolved(place));
}

}  // namespace

void target_rules(std::string_view input) {
  const std::string_view rules = take_line(input);
  TargetPlace place;
  place.scheme = "http";
  place.host = take_line(input);
  place.port = 80;
  check_rules(rules, place);
  const TargetPolicy standard;
  const auto read = numeric_address(place.host);
  if (read) require(standard.check(place).has_value() == standard.check(place, *read).has_value());
}

}  // namespace concerto::fuzz
