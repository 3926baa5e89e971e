#pragma once

#include <compare>
#include <cstdint>

namespace concerto::persist {

/// Where a record begins: byte `offset` of the value of a group. Groups count from 1, so that group
/// 0 means nowhere. Places are ordered like the records. Packed, because a million transactions
/// have two places each.
struct [[gnu::packed, gnu::aligned(4)]] Place {
  std::uint64_t group = 0;
  std::uint32_t offset = 0;

  explicit operator bool() const noexcept { return group != 0; }
  friend auto operator<=>(const Place&, const Place&) = default;
};

}  // namespace concerto::persist
