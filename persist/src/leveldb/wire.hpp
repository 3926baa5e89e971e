#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concerto::persist {

/// Appends primitive values to a byte string. Fixed-width integers are little-endian.
class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u32(std::uint32_t value) { fixed(value, 4); }
  void u64(std::uint64_t value) { fixed(value, 8); }

  /// Seven bits per byte, lowest first, the high bit set on all but the last.
  void varint(std::uint64_t value) {
    char bytes[10];
    std::size_t count = 0;
    for (; value >= 0x80; value >>= 7) bytes[count++] = static_cast<char>(value | 0x80);
    bytes[count++] = static_cast<char>(value);
    out_.append(bytes, count);
  }

  /// A signed varint: small magnitudes are short.
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }

  void text(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }

 private:
  void fixed(std::uint64_t value, std::size_t count) {
    char bytes[8];
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
    out_.append(bytes, count);
  }

  std::string& out_;
};

/// The number in the bytes of a database's key, which are big-endian so that keys sort as numbers.
inline std::uint64_t number_of(std::string_view key) noexcept {
  std::uint64_t number = 0;
  for (const char c : key) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

/// Reads the values in the order in which they were written. Reading past the end, or a malformed
/// value, makes the decoder fail for good: it then yields zeros, and `ok` is false.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const noexcept { return ok_; }
  bool done() const noexcept { return ok_ && bytes_.empty(); }
  std::size_t left() const noexcept { return bytes_.size(); }
  void fail() noexcept { ok_ = false, bytes_ = {}; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = u8();
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
  }

  /// The result points into the input.
  std::string_view text() { return bytes(varint()); }

  std::string_view bytes(std::uint64_t count) {
    if (count > bytes_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  std::uint64_t fixed(std::size_t count) {
    std::uint64_t value = 0;
    const std::string_view taken = bytes(count);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    }
    return value;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace concerto::persist
