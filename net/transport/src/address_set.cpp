#include <algorithm>
#include <string>
#include <utility>

#include <concerto/transport/address_set.hpp>
#include <concerto/transport/http_message.hpp>

#include "target/address_range.hpp"

namespace concerto::net {

Result<AddressSet> AddressSet::parse(std::string_view list) {
  std::vector<AddressRange> ranges;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view part = trim_blanks(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (part.empty()) continue;
    const auto range = read_range(part);
    if (!range) {
      return make_error(Errc::invalid_request,
                        "expected addresses and ranges such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, "
                        "found '" +
                            std::string{part} + "'");
    }
    if (ranges.size() == ranges_max) {
      return make_error(Errc::invalid_request,
                        "more than " + std::to_string(ranges_max) + " addresses and ranges");
    }
    ranges.push_back(*range);
  }
  AddressSet set;
  if (!ranges.empty()) {
    set.ranges_ = std::make_shared<const std::vector<AddressRange>>(std::move(ranges));
  }
  return set;
}

bool AddressSet::contains(const boost::asio::ip::address& address) const noexcept {
  if (ranges_ == nullptr) return false;
  const AddressBits bits = bits_of(address);
  return std::ranges::any_of(*ranges_,
                             [&](const AddressRange& range) { return range.contains(bits); });
}

}  // namespace concerto::net
