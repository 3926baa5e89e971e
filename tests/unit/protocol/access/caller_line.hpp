#pragma once

#include <string>
#include <string_view>

#include "access/callers_file.hpp"

namespace concerto::net::test {

inline std::string hex_hash(std::string_view token) {
  std::string text;
  for (const std::uint8_t byte : sha256_of(token)) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

/// A caller with a token, as a callers file has it.
inline std::string line(const char* name, const char* roles, std::string_view token,
                        const char* more = "") {
  return std::string{name} + " " + roles + " sha256:" + hex_hash(token) + " " + more + "\n";
}

}  // namespace concerto::net::test
