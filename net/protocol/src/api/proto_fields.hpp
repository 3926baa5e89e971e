#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace concerto::net {

/// Writes the fields of a protobuf message behind what a text has already, without the message's
/// object, whose parts are allocated one by one. The functions leave out what has its default,
/// except `set_bytes`.
class ProtoFields {
 public:
  explicit ProtoFields(std::string& out) : out_(out) {}

  void bytes(std::uint32_t field, std::string_view value) {
    if (!value.empty()) set_bytes(field, value);
  }
  void number(std::uint32_t field, std::int64_t value) {
    if (value == 0) return;
    varint(field << 3);
    varint(static_cast<std::uint64_t>(value));
  }
  void set_bytes(std::uint32_t field, std::string_view value) {
    varint(field << 3 | delimited);
    varint(value.size());
    out_.append(value);
  }
  /// A map from texts to texts: a message for each entry.
  void texts(std::uint32_t field, const std::map<std::string, std::string>& values) {
    std::string entry;
    for (const auto& [key, value] : values) {
      entry.clear();
      ProtoFields inner(entry);
      inner.set_bytes(1, key);
      inner.set_bytes(2, value);
      set_bytes(field, entry);
    }
  }

 private:
  static constexpr std::uint32_t delimited = 2;

  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }

  std::string& out_;
};

}  // namespace concerto::net
