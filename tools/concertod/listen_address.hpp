#pragma once

#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include <concerto/core/error.hpp>

namespace concerto::tools {

/// The address that ListenAddress means; nothing: all interfaces, as `*` and an empty text say.
/// `localhost` is 127.0.0.1, the one address that a listener of the reference's language takes for
/// it, and an IPv6 address may stand in brackets. The error names the key and says what to write.
[[nodiscard]] Result<std::optional<boost::asio::ip::address>> parse_listen_address(
    std::string_view text);

}  // namespace concerto::tools
