#include "fingerprint.hpp"

#include <bit>
#include <cstring>

namespace concerto::persist {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  std::uint64_t squeeze() noexcept {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

std::uint64_t little_endian(const char* bytes, std::size_t count) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return word;
}

}  // namespace

Fingerprint fingerprint(const FingerprintKey& key, std::string_view gid) noexcept {
  SipState state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
                 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  const std::size_t whole = gid.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) state.absorb(little_endian(gid.data() + at, 8));
  state.absorb(little_endian(gid.data() + whole, gid.size() - whole) |
               std::uint64_t{gid.size() & 0xFF} << 56);
  Fingerprint result;
  state.v2 ^= 0xee;
  result.high = state.squeeze();
  state.v1 ^= 0xdd;
  result.low = state.squeeze();
  return result;
}

std::string to_bytes(const Fingerprint& fingerprint) {
  std::string bytes(16, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(fingerprint.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(fingerprint.low >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace concerto::persist
