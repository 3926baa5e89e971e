#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

struct AddressRange;

/// Addresses that an operator has listed. Cheap to copy.
class CONCERTO_EXPORT AddressSet {
 public:
  static constexpr std::size_t ranges_max = 1'000;

  /// No address.
  AddressSet() = default;

  /// `10.0.0.0/8, fd00::/8, 127.0.0.1`: ranges and addresses with commas between them. The error
  /// names the part that is none.
  [[nodiscard]] static Result<AddressSet> parse(std::string_view list);

  bool empty() const noexcept { return ranges_ == nullptr; }
  /// An IPv4 address and its form in IPv6 are the same.
  bool contains(const boost::asio::ip::address& address) const noexcept;

 private:
  std::shared_ptr<const std::vector<AddressRange>> ranges_;  ///< null: none
};

}  // namespace concerto::net
