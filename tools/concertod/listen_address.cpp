#include "listen_address.hpp"

#include <string>

#include <boost/asio/ip/address_v4.hpp>

namespace concerto::tools {

Result<std::optional<boost::asio::ip::address>> parse_listen_address(std::string_view text) {
  using boost::asio::ip::address;
  if (text.empty() || text == "*") return std::optional<address>{};
  if (text == "localhost") return std::optional<address>{boost::asio::ip::address_v4::loopback()};
  const bool has_brackets = text.starts_with('[') && text.ends_with(']');
  const std::string plain{has_brackets ? text.substr(1, text.size() - 2) : text};
  error_code failed;
  const auto parsed = boost::asio::ip::make_address(plain, failed);
  if (!failed && (!has_brackets || parsed.is_v6())) return std::optional<address>{parsed};
  return make_error(Errc::invalid_request,
                    "ListenAddress: expected an IP address without a port (HttpPort and GrpcPort "
                    "are the ports), localhost, or * for all interfaces, found '" +
                        std::string{text} + "'");
}

}  // namespace concerto::tools
