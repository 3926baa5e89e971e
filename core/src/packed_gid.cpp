#include "packed_gid.hpp"

#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

namespace concerto {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
static_assert(alphabet.size() == 64);
constexpr std::uint8_t not_packable = 0x80;

// Characters are packed eight by eight, into six bytes.
constexpr std::size_t group_chars = 8;
constexpr std::size_t group_bytes = 6;

constexpr std::array<std::uint8_t, 256> make_codes() {
  std::array<std::uint8_t, 256> codes{};
  codes.fill(not_packable);
  for (std::size_t code = 0; code < alphabet.size(); ++code) {
    codes[static_cast<unsigned char>(alphabet[code])] = static_cast<std::uint8_t>(code);
  }
  return codes;
}

constexpr std::array<std::uint8_t, 256> codes = make_codes();

}  // namespace

GidKey::GidKey(std::string_view text) noexcept {
  if (text.size() <= packed_chars_max && pack(text)) {
    form_ = static_cast<std::uint8_t>(text.size());
  } else if (text.size() <= inline_bytes) {
    bytes_ = {};
    std::memcpy(bytes_.data(), text.data(), text.size());
    form_ = static_cast<std::uint8_t>(as_it_is + text.size());
  } else {
    bytes_ = {};
    refer_to(text);
  }
}

bool GidKey::pack(std::string_view text) noexcept {
  std::array<char, packed_chars_max> chars;
  chars.fill(alphabet.front());
  std::memcpy(chars.data(), text.data(), text.size());
  unsigned seen = 0;
  for (std::size_t group = 0; group < packed_chars_max / group_chars; ++group) {
    std::uint64_t bits = 0;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < group_chars; ++i) {
      const std::uint8_t code = codes[static_cast<unsigned char>(chars[group * group_chars + i])];
      seen |= code;
      bits = bits << 6U | code;
    }
    std::memcpy(bytes_.data() + group * group_bytes, &bits, group_bytes);
  }
  return (seen & not_packable) == 0;
}

Gid GidKey::gid() const {
  if (!is_inline()) return Gid(std::string(long_text()));
  if (form_ >= as_it_is) return Gid(std::string(bytes_.data(), form_ - as_it_is));
  std::array<char, packed_chars_max> chars;
  for (std::size_t group = 0; group < packed_chars_max / group_chars; ++group) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes_.data() + group * group_bytes, group_bytes);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < group_chars; ++i) {
      chars[group * group_chars + i] = alphabet[bits >> (6 * (group_chars - 1 - i)) & 63U];
    }
  }
  return Gid(std::string(chars.data(), form_));
}

std::uint32_t GidKey::hash() const noexcept {
  if (!is_inline()) {
    // The shard was chosen by the lower bits: they are alike in all gids here.
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(long_text()) >> 32U);
  }
  static_assert(std::has_unique_object_representations_v<GidKey>);
  const char* bytes = reinterpret_cast<const char*>(this);
  std::uint64_t hash = 0;
  // The last of the three words overlaps the second.
  for (const std::size_t at : {std::size_t{0}, sizeof hash, sizeof *this - sizeof hash}) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    const Uint128 product = static_cast<Uint128>(hash ^ word) * 0x9E3779B97F4A7C15U;
    hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  return static_cast<std::uint32_t>(hash >> 32U);
}

bool GidKey::operator==(const GidKey& other) const noexcept {
  if (form_ != other.form_) return false;
  if (!is_inline()) return long_text() == other.long_text();
  return std::memcmp(bytes_.data(), other.bytes_.data(), inline_bytes) == 0;
}

std::string_view GidKey::long_text() const noexcept {
  if (is_inline()) return {};
  const char* data = nullptr;
  std::uint32_t size = 0;
  std::memcpy(&data, bytes_.data(), sizeof data);
  std::memcpy(&size, bytes_.data() + sizeof data, sizeof size);
  return {data, size};
}

void GidKey::refer_to(std::string_view text) noexcept {
  const char* data = text.data();
  const auto size = static_cast<std::uint32_t>(text.size());
  static_assert(sizeof data + sizeof size <= inline_bytes);
  std::memcpy(bytes_.data(), &data, sizeof data);
  std::memcpy(bytes_.data() + sizeof data, &size, sizeof size);
  form_ = referred_to;
}

PackedGid::PackedGid(const GidKey& key) : key_(key) {
  if (key.is_inline()) return;
  const std::string_view text = key.long_text();
  char* copy = new char[text.size()];
  std::memcpy(copy, text.data(), text.size());
  key_.refer_to({copy, text.size()});
}

PackedGid& PackedGid::operator=(PackedGid&& other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}

PackedGid::~PackedGid() {
  if (!key_.is_inline()) delete[] key_.long_text().data();
}

}  // namespace concerto
