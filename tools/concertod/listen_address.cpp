#include "listen_address.hpp"

#include <string>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace concerto::tools {
namespace {

using boost::asio::ip::tcp;

Result<net::ListeningSocket> listen_on(const std::optional<boost::asio::ip::address>& address,
                                       std::int64_t port) {
  const auto number = static_cast<std::uint16_t>(port);
  if (address) return net::ListeningSocket::open(tcp::endpoint(*address, number));
  auto both = net::ListeningSocket::open(tcp::endpoint(tcp::v6(), number));
  if (both) return both;
  return net::ListeningSocket::open(tcp::endpoint(tcp::v4(), number));
}

}  // namespace

Result<std::optional<boost::asio::ip::address>> parse_listen_address(std::string_view text,
                                                                     std::string_view key) {
  using boost::asio::ip::address;
  if (text.empty() || text == "*") return std::optional<address>{};
  if (text == "localhost") return std::optional<address>{boost::asio::ip::address_v4::loopback()};
  const bool has_brackets = text.starts_with('[') && text.ends_with(']');
  const std::string plain{has_brackets ? text.substr(1, text.size() - 2) : text};
  error_code failed;
  const auto parsed = boost::asio::ip::make_address(plain, failed);
  if (!failed && (!has_brackets || parsed.is_v6())) return std::optional<address>{parsed};
  return make_error(Errc::invalid_request,
                    std::string{key} +
                        ": expected an IP address without a port, which has a key of its "
                        "own, localhost, or * for all interfaces, found '" +
                        std::string{text} + "'");
}

Result<net::ListeningSocket> listen_on_port(std::string_view address, std::int64_t port) {
  CONCERTO_TRY(const auto parsed, parse_listen_address(address));
  return listen_on(parsed, port);
}

Result<ListeningPorts> listen_on_ports(std::string_view address, std::int64_t http_port,
                                       std::int64_t grpc_port) {
  CONCERTO_TRY(const auto parsed, parse_listen_address(address));
  ListeningPorts ports;
  CONCERTO_TRY(ports.http, listen_on(parsed, http_port));
  CONCERTO_TRY(ports.grpc, listen_on(parsed, grpc_port));
  return ports;
}

}  // namespace concerto::tools
