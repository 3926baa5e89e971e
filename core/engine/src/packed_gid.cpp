#include "packed_gid.hpp"

#include <bit>
#include <cstring>
#include <functional>
#include <utility>

namespace concerto {
namespace {

__extension__ using Uint128 = unsigned __int128;

static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t beyond_ascii = 0x8080808080808080;

/// Moves the seven bits of eight characters together: in pairs, then in fours, then all eight.
constexpr std::uint64_t squeeze(std::uint64_t x) noexcept {
  x = (x & 0x007F007F007F007F) | (x & 0x7F007F007F007F00) >> 1U;
  x = (x & 0x00003FFF00003FFF) | (x & 0x3FFF00003FFF0000) >> 2U;
  return (x & 0x000000000FFFFFFF) | (x & 0x0FFFFFFF00000000) >> 4U;
}

constexpr std::uint64_t spread(std::uint64_t x) noexcept {
  x = (x & 0x000000000FFFFFFF) | (x << 4U & 0x0FFFFFFF00000000);
  x = (x & 0x00003FFF00003FFF) | (x << 2U & 0x3FFF00003FFF0000);
  return (x & 0x007F007F007F007F) | (x << 1U & 0x7F007F007F007F00);
}

static_assert(spread(squeeze(0x7F6141395A2D0001)) == 0x7F6141395A2D0001);

}  // namespace

GidKey::GidKey(std::string_view text) noexcept {
  if (text.size() > packed_chars_max || !pack(text)) refer_to(text);
}

// The characters give words of 56, 56 and 42 bits, as the last word has six characters. The form
// comes above them.
bool GidKey::pack(std::string_view text) noexcept {
  Words chars{};
  std::memcpy(chars.data(), text.data(), text.size());
  if (((chars[0] | chars[1] | chars[2]) & beyond_ascii) != 0) return false;
  const std::uint64_t second = squeeze(chars[1]);
  const std::uint64_t third = squeeze(chars[2]);
  set_words({squeeze(chars[0]) | second << 56U, second >> 8U | third << 48U,
             third >> 16U | text.size() << form_shift});
  return true;
}

Gid GidKey::gid() const {
  if (!is_packed()) return Gid(std::string(long_text()));
  const auto [low, middle, high] = words();
  const Words chars{spread(low), spread(low >> 56U | middle << 8U),
                    spread(middle >> 48U | (high << 16U & 0x3FFFFFFFFFF))};
  std::array<char, sizeof chars> text;
  std::memcpy(text.data(), chars.data(), sizeof chars);
  return Gid(std::string(text.data(), form()));
}

std::uint32_t GidKey::hash() const noexcept {
  if (!is_packed()) {
    // The lower half chooses the shard.
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(long_text()) >> 32U);
  }
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words()) {
    const Uint128 product = static_cast<Uint128>(hash ^ word) * 0x9E3779B97F4A7C15U;
    hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  return static_cast<std::uint32_t>(hash >> 32U);
}

bool GidKey::operator==(const GidKey& other) const noexcept {
  if (is_packed() || other.is_packed()) return words() == other.words();
  return long_text() == other.long_text();
}

GidKey::Words GidKey::words() const noexcept {
  Words words{};
  std::memcpy(words.data(), bits_.data(), sizeof bits_);
  return words;
}

void GidKey::set_words(const Words& words) noexcept {
  std::memcpy(bits_.data(), words.data(), sizeof bits_);
}

std::string_view GidKey::long_text() const noexcept {
  const Words pointer_and_length = words();
  return {std::bit_cast<const char*>(pointer_and_length[0]), pointer_and_length[1]};
}

void GidKey::refer_to(std::string_view text) noexcept {
  set_words({std::bit_cast<std::uint64_t>(text.data()), text.size(), referred_to << form_shift});
}

PackedGid::PackedGid(const GidKey& key) : key_(key) {
  if (key.is_packed()) return;
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
  if (!key_.is_packed()) delete[] key_.long_text().data();
}

}  // namespace concerto
