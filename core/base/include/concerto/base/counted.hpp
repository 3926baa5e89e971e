#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concerto {

/// A count with its noun, for people: "1 transaction", "2 transactions". The plural is the noun
/// with an s, unless `plural` is given.
inline std::string counted(std::uint64_t count, std::string_view noun,
                           std::string_view plural = {}) {
  std::string text = std::to_string(count) + " ";
  if (count == 1 || plural.empty()) {
    text += noun;
    if (count != 1) text += 's';
  } else {
    text += plural;
  }
  return text;
}

}  // namespace concerto
