#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace concerto {

/// A string that means one thing: ids of different kinds do not convert into each other.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}
  const std::string& str() const noexcept { return value_; }
  std::string_view view() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::string value_;
};

/// Global transaction id, 1 to 128 characters (protocol page 01, section 7).
using Gid = Id<struct GidTag>;
/// Id of a branch within its transaction, as `01` or `01-02`.
using BranchId = Id<struct BranchIdTag>;

/// Limits of a gid: in characters of UTF-8, as in the stores of the reference, and in the bytes
/// that so many characters may take.
inline constexpr std::size_t gid_chars_max = 128;
inline constexpr std::size_t gid_bytes_max = 4 * gid_chars_max;

}  // namespace concerto

template <class Tag>
struct std::hash<concerto::Id<Tag>> {
  /// Not noexcept: then the tables of libstdc++ keep the hash of a key instead of computing it
  /// anew.
  std::size_t operator()(const concerto::Id<Tag>& id) const {
    return std::hash<std::string>{}(id.str());
  }
};
