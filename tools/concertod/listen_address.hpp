#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/error.hpp>

namespace concerto::tools {

/// The address that ListenAddress means; nothing: all interfaces, as `*` and an empty text say.
/// `localhost` is 127.0.0.1, the one address that a listener of the reference's language takes for
/// it, and an IPv6 address may stand in brackets. The error names the key and says what to write.
[[nodiscard]] Result<std::optional<boost::asio::ip::address>> parse_listen_address(
    std::string_view text);

/// Calls `start` with the address to listen on; all interfaces means IPv6 and IPv4 where there is
/// IPv6, IPv4 alone otherwise.
[[nodiscard]] Result<> listen_on(
    std::string_view address, std::int64_t port,
    const std::function<Result<>(const boost::asio::ip::tcp::endpoint&)>& start);

/// Whether a start could listen on both of these ports now; nothing listens afterwards. The error
/// is the one that the start would have.
[[nodiscard]] Result<> check_ports_are_free(std::string_view address, std::int64_t http_port,
                                            std::int64_t grpc_port);

}  // namespace concerto::tools
