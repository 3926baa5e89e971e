#include "number_text.hpp"

#include <cmath>
#include <cstdio>

namespace concerto::load {

std::string fixed(double value, int decimals) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return length > 0 ? std::string(text) : std::string();
}

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string ms_text(double microseconds) {
  const double ms = microseconds / 1000;
  if (ms >= 1000) return with_commas(static_cast<std::uint64_t>(std::llround(ms)));
  return fixed(ms, ms < 10 ? 3 : ms < 100 ? 2 : 1);
}

}  // namespace concerto::load
