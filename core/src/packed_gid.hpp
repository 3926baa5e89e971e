#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/core/ids.hpp>

namespace concerto {

/// A gid to look for, in 19 bytes. Up to 24 letters, digits, '-' and '_' take six bits each, which
/// holds every generated gid; up to 18 bytes of any kind stand as they are; what is longer is only
/// referred to, and must outlive the key.
class GidKey {
 public:
  GidKey() = default;  ///< of the empty gid
  explicit GidKey(std::string_view text) noexcept;

  Gid gid() const;
  /// Independent of the gid's own hash, which chooses the shard.
  std::uint32_t hash() const noexcept;
  bool operator==(const GidKey& other) const noexcept;

 private:
  friend class PackedGid;

  static constexpr std::size_t inline_bytes = 18;
  static constexpr std::size_t packed_chars_max = inline_bytes * 8 / 6;
  static constexpr std::uint8_t as_it_is = 0x40;     ///< plus the length
  static constexpr std::uint8_t referred_to = 0xFF;  ///< `bytes_` are a pointer and a length

  bool is_inline() const noexcept { return form_ != referred_to; }
  bool pack(std::string_view text) noexcept;
  std::string_view long_text() const noexcept;
  void refer_to(std::string_view text) noexcept;

  std::array<char, inline_bytes> bytes_{};
  std::uint8_t form_ = 0;  ///< the number of packed characters, or one of the above
};

/// A gid that is kept: as its key, with the bytes of a long one on the heap.
class PackedGid {
 public:
  PackedGid() = default;
  explicit PackedGid(const GidKey& key);
  PackedGid(PackedGid&& other) noexcept : key_(other.key_) { other.key_ = GidKey(); }
  PackedGid& operator=(PackedGid&& other) noexcept;
  ~PackedGid();

  const GidKey& key() const noexcept { return key_; }

 private:
  GidKey key_;
};

}  // namespace concerto
