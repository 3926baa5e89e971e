#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace concerto::net {

/// An address as 128 bits. An IPv4 address is ::ffff:a.b.c.d, so both spellings of it are equal.
struct AddressBits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static constexpr AddressBits of_v4(std::uint32_t address) noexcept {
    return {0, std::uint64_t{0xFFFF} << 32 | address};
  }

  bool is_v4() const noexcept { return high == 0 && low >> 32 == 0xFFFF; }
};

AddressBits bits_of(const boost::asio::ip::address& address) noexcept;

/// All addresses whose bits are those of `network` where `mask` has ones.
struct AddressRange {
  AddressBits network;
  AddressBits mask;

  bool contains(const AddressBits& address) const noexcept {
    return (((address.high ^ network.high) & mask.high) |
            ((address.low ^ network.low) & mask.low)) == 0;
  }
  bool overlaps(const AddressRange& other) const noexcept {
    return (((other.network.high ^ network.high) & mask.high & other.mask.high) |
            ((other.network.low ^ network.low) & mask.low & other.mask.low)) == 0;
  }
};

/// `10.0.0.0/8`, `fd00::/8`, or an address alone. Only the usual spelling is taken.
std::optional<AddressRange> read_range(std::string_view text);

/// The address that a host means which is no name: in every spelling that the system's resolver
/// takes (`127.1`, `2130706433`, `0x7f.0.0.1`, `0177.1`), with a dot at the end, or with a zone
/// (`fe80::1%eth0`), which is dropped.
std::optional<AddressBits> read_address(std::string_view host);

/// The IPv4 addresses that packets to an IPv6 address may reach by translation or through a tunnel.
class CarriedAddresses {
 public:
  explicit CarriedAddresses(const AddressBits& address) noexcept;

  const AddressBits* begin() const noexcept { return found_.data(); }
  const AddressBits* end() const noexcept { return found_.data() + count_; }

 private:
  void add(std::uint64_t address) noexcept {
    found_[count_++] = AddressBits::of_v4(static_cast<std::uint32_t>(address));
  }

  static constexpr std::size_t carried_max = 5;  // four layouts of NAT64, and ISATAP

  std::array<AddressBits, carried_max> found_;
  std::size_t count_ = 0;
};

}  // namespace concerto::net
