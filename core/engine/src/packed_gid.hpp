#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/engine/ids.hpp>

namespace concerto {

/// A gid as a search key, in 20 bytes. Up to 22 ASCII characters, as many as a generated gid has,
/// are packed into it with seven bits each. Any other text is only referred to, and must outlive
/// the key.
class GidKey {
 public:
  GidKey() = default;  ///< of the empty gid
  explicit GidKey(std::string_view text) noexcept;

  Gid gid() const;
  /// Uses other bits than the choice of the shard does, as those are alike in all gids of a shard.
  std::uint32_t hash() const noexcept;
  bool operator==(const GidKey& other) const noexcept;

 private:
  friend class PackedGid;

  static constexpr std::size_t packed_chars_max = 22;
  static constexpr unsigned form_shift = 26;        ///< of the 160 bits, 154 are for characters
  static constexpr std::uint32_t referred_to = 63;  ///< a form: the words are pointer and length

  using Words = std::array<std::uint64_t, 3>;

  Words words() const noexcept;
  void set_words(const Words& words) noexcept;
  /// The number of packed characters, or `referred_to`.
  std::uint32_t form() const noexcept { return bits_.back() >> form_shift; }
  bool is_packed() const noexcept { return form() != referred_to; }
  bool pack(std::string_view text) noexcept;
  std::string_view long_text() const noexcept;
  void refer_to(std::string_view text) noexcept;

  std::array<std::uint32_t, 5> bits_{};
};

/// A gid that is stored: its key, with the bytes of a long gid on the heap.
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
