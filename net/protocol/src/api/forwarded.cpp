#include "api/forwarded.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <concerto/base/url_parts.hpp>

namespace concerto::net {
namespace {

using boost::asio::ip::tcp;

constexpr std::string_view forwarded_field = "x-forwarded-for";
/// More proxies than that do not stand in a row.
constexpr std::size_t hops_max = 16;
/// An IPv6 address with a zone, brackets and a port.
constexpr std::size_t part_bytes_max = 64;

/// `10.0.0.7`, `10.0.0.7:51234`, `fd00::7`, `[fd00::7]` or `[fd00::7]:51234`.
std::optional<tcp::endpoint> read_hop(std::string_view text) {
  if (text.size() > part_bytes_max) return std::nullopt;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
  } else if (const std::size_t colon = text.find(':'); colon == text.rfind(':')) {
    port = text.substr(std::min(colon, text.size()));
    text = text.substr(0, colon);
  }
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(std::string{text}, no_address);
  if (no_address || address.is_unspecified()) return std::nullopt;
  if (port.empty()) return tcp::endpoint{address, 0};
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return std::nullopt;
  return tcp::endpoint{address, *number};
}

/// The last part of a list with commas, which is removed from it.
std::string_view take_last(std::string_view& list) {
  const std::size_t comma = list.rfind(',');
  const std::size_t begin = comma == list.npos ? 0 : comma + 1;
  const std::string_view part = trim_blanks(list.substr(begin));
  list = list.substr(0, comma == list.npos ? 0 : comma);
  return part;
}

/// Several fields are one list, in their order (RFC 9110, section 5.3).
template <class Fields>
tcp::endpoint walk_back(const tcp::endpoint& peer, const Fields& fields,
                        const AddressSet& proxies) {
  tcp::endpoint client = peer;
  std::size_t hops = 0;
  for (std::size_t i = fields.size(); i > 0; --i) {
    if (!equals_ignoring_case(fields[i - 1].name, forwarded_field)) continue;
    for (std::string_view list = fields[i - 1].value; !list.empty();) {
      if (++hops > hops_max) return client;
      const auto hop = read_hop(take_last(list));
      if (!hop) return client;
      client = *hop;
      if (!proxies.contains(client.address())) return client;
    }
  }
  return client;
}

}  // namespace

tcp::endpoint client_of(const tcp::endpoint& peer, const HttpHeaders& headers,
                        const AddressSet& proxies) {
  return proxies.contains(peer.address()) ? walk_back(peer, headers, proxies) : peer;
}

tcp::endpoint client_of(const tcp::endpoint& peer, const GrpcMetadata& metadata,
                        const AddressSet& proxies) {
  return proxies.contains(peer.address()) ? walk_back(peer, metadata, proxies) : peer;
}

}  // namespace concerto::net
