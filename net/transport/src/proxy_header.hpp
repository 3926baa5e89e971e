#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// Reads the header of the PROXY protocol, version 2, with which a proxy begins a connection:
///
///     signature (12 bytes) | version and command | family | length (2 bytes) | addresses | TLVs
///
/// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2. Version 1, which is
/// text, is not read. It takes no bytes beyond the header: what follows belongs to others.
class ProxyHeaderReader {
 public:
  /// A header fits into the smallest TCP segment (section 2). A longer one is refused.
  static constexpr std::size_t bytes_max = 536;

  /// The number of bytes that certainly belong to the header and are missing. 0: it is complete.
  std::size_t wanted() const noexcept { return wanted_; }

  /// Takes the next bytes, at most `wanted()`. The error says what is wrong with the header.
  [[nodiscard]] Result<> take(std::string_view bytes);

  /// The client of a complete header. Nothing if the connection is the proxy's own (LOCAL), or the
  /// proxy does not know it (UNSPEC).
  const std::optional<boost::asio::ip::tcp::endpoint>& client() const noexcept { return client_; }

 private:
  Result<> read_start();
  Result<> read_rest();

  std::string bytes_;
  std::size_t wanted_ = 16;
  bool has_started_ = false;  ///< its first 16 bytes are read
  std::optional<boost::asio::ip::tcp::endpoint> client_;
};

}  // namespace concerto::net
