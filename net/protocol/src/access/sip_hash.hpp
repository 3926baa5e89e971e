#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace concerto::net {

/// SipHash with a result of 128 bits (Aumasson and Bernstein, 2012): a hash that nobody can aim
/// without the key. `rounds` are its rounds per word; at the end there are `end_rounds`.
template <int rounds, int end_rounds>
class SipHash {
 public:
  using Key = std::array<std::uint64_t, 2>;

  explicit SipHash(const Key& key) noexcept
      : v0_(key[0] ^ 0x736f6d6570736575U),
        v1_(key[1] ^ 0x646f72616e646f6dU ^ 0xeeU),
        v2_(key[0] ^ 0x6c7967656e657261U),
        v3_(key[1] ^ 0x7465646279746573U) {}

  /// The hash of these words and then these bytes.
  std::array<std::uint64_t, 2> operator()(std::initializer_list<std::uint64_t> words,
                                          std::string_view bytes) noexcept {
    for (const std::uint64_t word : words) add(word);
    const std::uint64_t size = words.size() * sizeof(std::uint64_t) + bytes.size();
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
      add(little_endian(bytes.data(), sizeof(std::uint64_t)));
    }
    add(little_endian(bytes.data(), bytes.size()) | size << 56U);
    v2_ ^= 0xeeU;
    mix<end_rounds>();
    const std::uint64_t first = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xddU;
    mix<end_rounds>();
    return {first, v0_ ^ v1_ ^ v2_ ^ v3_};
  }

 private:
  static std::uint64_t little_endian(const char* from, std::size_t size) noexcept {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t word = 0;
    if (size > 0) std::memcpy(&word, from, size);  // memcpy takes no null, not even of 0 bytes
    return word;
  }

  void add(std::uint64_t word) noexcept {
    v3_ ^= word;
    mix<rounds>();
    v0_ ^= word;
  }

  template <int times>
  void mix() noexcept {
    for (int i = 0; i < times; ++i) {
      v0_ += v1_;
      v2_ += v3_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v1_;
      v0_ += v3_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace concerto::net
