#include "proxy_header.hpp"

#include <algorithm>
#include <array>

#include <concerto/base/assert.hpp>

namespace concerto::net {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::tcp;

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t start_bytes = 16;

constexpr unsigned local_command = 0x20;  // of version 2
constexpr unsigned proxy_command = 0x21;
constexpr unsigned unspecified_family = 0x00;
constexpr unsigned tcp_over_ipv4 = 0x11;
constexpr unsigned tcp_over_ipv6 = 0x21;

unsigned byte_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

/// The first of two addresses of this type, with its port, which follows both addresses.
template <class Address>
tcp::endpoint first_of_pair(std::string_view pair) {
  typename Address::bytes_type address{};
  std::copy_n(pair.begin(), address.size(), reinterpret_cast<char*>(address.data()));
  return {Address{address}, number_at(pair, 2 * address.size())};
}

Result<> malformed(std::string why) {
  return Error{boost::system::errc::make_error_code(boost::system::errc::protocol_error),
               std::move(why)};
}

}  // namespace

Result<> ProxyHeaderReader::take(std::string_view bytes) {
  CONCERTO_ASSERT(bytes.size() <= wanted_);
  bytes_ += bytes;
  wanted_ -= bytes.size();
  const std::size_t known = std::min(bytes_.size(), signature.size());
  if (bytes_.compare(0, known, signature, 0, known) != 0) {
    return malformed(bytes_.starts_with("PROXY")
                         ? "it is of version 1 of the PROXY protocol; only version 2 is read"
                         : "the connection does not begin with a header of the PROXY protocol");
  }
  if (wanted_ > 0) return ok();
  if (!has_started_) CONCERTO_CHECK(read_start());
  return wanted_ > 0 ? ok() : read_rest();
}

Result<> ProxyHeaderReader::read_start() {
  has_started_ = true;
  const std::size_t length = number_at(bytes_, 14);
  if (start_bytes + length > bytes_max) {
    return malformed("it has " + std::to_string(start_bytes + length) + " bytes; at most " +
                     std::to_string(bytes_max) + " are read");
  }
  wanted_ = length;
  return ok();
}

/// Everything behind the addresses (TLVs) is left alone.
Result<> ProxyHeaderReader::read_rest() {
  const unsigned command = byte_at(bytes_, 12);
  const unsigned family = byte_at(bytes_, 13);
  const std::string_view addresses = std::string_view{bytes_}.substr(start_bytes);
  if (command == local_command) return ok();
  if (command != proxy_command) return malformed("it has an unknown version or command");
  if (family == unspecified_family) return ok();
  if (family != tcp_over_ipv4 && family != tcp_over_ipv6) {
    return malformed("its addresses are not of TCP");
  }
  const bool is_ipv4 = family == tcp_over_ipv4;
  constexpr std::size_t pair_of_ipv4 = 12;
  constexpr std::size_t pair_of_ipv6 = 36;
  if (addresses.size() < (is_ipv4 ? pair_of_ipv4 : pair_of_ipv6)) {
    return malformed("its addresses are cut off");
  }
  client_ = is_ipv4 ? first_of_pair<address_v4>(addresses) : first_of_pair<address_v6>(addresses);
  return ok();
}

}  // namespace concerto::net
