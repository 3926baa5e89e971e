#include "target/address_range.hpp"

#include <charconv>
#include <string>

#include <concerto/base/async.hpp>

namespace concerto::net {
namespace {

constexpr std::uint64_t ones = ~std::uint64_t{0};

AddressBits first_bits(unsigned count) noexcept {
  if (count == 0) return {};
  if (count <= 64) return {ones << (64 - count), 0};
  return {ones, ones << (128 - count)};
}

std::optional<unsigned> read_bits(std::string_view text, unsigned max) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size() || bits > max) return std::nullopt;
  return bits;
}

/// One number of an IPv4 address, as strtoul reads it with the base 0. Removes it from `text`.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0' && text[1] != '.') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// As inet_aton: up to four numbers, of which the last one gives all bytes that are left.
std::optional<std::uint32_t> read_v4(std::string_view text) {
  std::uint32_t address = 0;
  for (unsigned bytes_left = 4; bytes_left > 0; --bytes_left) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    if (text.empty()) {
      const bool fits = bytes_left == 4 || *number >> (8 * bytes_left) == 0;
      if (!fits) return std::nullopt;
      return address | *number;
    }
    if (text.front() != '.' || *number > 0xFF) return std::nullopt;
    text.remove_prefix(1);
    address |= *number << (8 * (bytes_left - 1));
  }
  return std::nullopt;
}

}  // namespace

AddressBits bits_of(const asio::ip::address& address) noexcept {
  if (address.is_v4()) return AddressBits::of_v4(address.to_v4().to_uint());
  AddressBits bits;
  const auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 0; i < 8; ++i) {
    bits.high = bits.high << 8 | bytes[i];
    bits.low = bits.low << 8 | bytes[i + 8];
  }
  return bits;
}

std::optional<AddressRange> read_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  error_code no_address;
  const auto address = asio::ip::make_address(std::string(text.substr(0, slash)), no_address);
  if (no_address || text.find('%') != text.npos) return std::nullopt;
  const unsigned all = address.is_v4() ? 32 : 128;
  std::optional<unsigned> bits = all;
  if (slash != text.npos) bits = read_bits(text.substr(slash + 1), all);
  if (!bits) return std::nullopt;
  AddressRange range;
  range.mask = first_bits(*bits + (128 - all));
  range.network = bits_of(address);
  range.network.high &= range.mask.high;
  range.network.low &= range.mask.low;
  return range;
}

std::optional<AddressBits> read_address(std::string_view host) {
  if (host.empty()) return std::nullopt;
  const bool begins_v4 = host.front() >= '0' && host.front() <= '9';
  const bool is_v6 = host.find(':') != host.npos;
  if (is_v6) {
    error_code no_address;
    const std::string text(host.substr(0, host.find('%')));
    const auto address = asio::ip::make_address_v6(text, no_address);
    if (no_address) return std::nullopt;
    return bits_of(address);
  }
  if (!begins_v4) return std::nullopt;
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto address = read_v4(host);
  if (!address) return std::nullopt;
  return AddressBits::of_v4(*address);
}

CarriedAddresses::CarriedAddresses(const AddressBits& address) noexcept {
  const auto [high, low] = address;
  if (address.is_v4()) return;
  const bool is_compatible = high == 0 && low >> 32 == 0 && low > 1;  // not :: and ::1
  const bool is_translated = high == 0 && low >> 32 == 0xFFFF'0000;   // ::ffff:0:a.b.c.d
  const bool is_nat64 = high == 0x0064'FF9B'0000'0000 && low >> 32 == 0;
  if (is_compatible || is_translated || is_nat64) add(low);
  if (high >> 16 == 0x0064'FF9B'0001) {
    // A NAT64 of the network's own (RFC 8215), with a prefix of 48, 56, 64 or 96 bits (RFC 6052).
    // Read by another prefix than its own, an address usually seems to carry one below 0.0.0.0/8.
    for (const std::uint64_t carried :
         {(high & 0xFFFF) << 16 | (low >> 40 & 0xFFFF),
          (high & 0xFF) << 24 | (low >> 32 & 0xFF'FFFF), low >> 24, low}) {
      if ((carried >> 24 & 0xFF) != 0) add(carried);
    }
  }
  if (high >> 48 == 0x2002) add(high >> 16);  // 6to4
  if (high >> 32 == 0x2001'0000) {            // Teredo: its server, and the peer
    add(high);
    add(~low);
  }
  const std::uint64_t interface_kind = low >> 32;
  if (interface_kind == 0x5EFE || interface_kind == 0x0200'5EFE) add(low);  // ISATAP
}

}  // namespace concerto::net
