#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/error.hpp>
#include <concerto/transport/listener.hpp>

namespace concerto::tools {

/// The address of ListenAddress; nothing for `*` and an empty text, which mean all network
/// interfaces. `localhost` is 127.0.0.1, as for listeners of the reference's language. An IPv6
/// address may have brackets. The error names the key and says what to write.
[[nodiscard]] Result<std::optional<boost::asio::ip::address>> parse_listen_address(
    std::string_view text, std::string_view key = "ListenAddress");

/// The sockets of both front ends.
struct ListeningPorts {
  net::ListeningSocket http;
  net::ListeningSocket grpc;
};

/// Listens on one port from now on, as listen_on_ports does.
[[nodiscard]] Result<net::ListeningSocket> listen_on_port(std::string_view address,
                                                          std::int64_t port);

/// Listens on both ports from now on. Clients wait until a listener takes the sockets over. All
/// interfaces means IPv6 and IPv4 if the system has IPv6, otherwise IPv4 alone.
[[nodiscard]] Result<ListeningPorts> listen_on_ports(std::string_view address,
                                                     std::int64_t http_port,
                                                     std::int64_t grpc_port);

}  // namespace concerto::tools
