#include "line_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <concerto/base/utf8.hpp>

namespace concerto::tools {
namespace {

/// Escapes characters that JSON may contain as they are but that a terminal obeys: DEL, and C1,
/// which is C2 80 to C2 9F in UTF-8. JSON's writer has escaped C0.
std::string without_controls(std::string json) {
  const auto is_c1 = [&](std::size_t at) {
    return json[at] == '\xC2' && at + 1 < json.size() &&
           static_cast<unsigned char>(json[at + 1]) < 0xA0;
  };
  std::string escaped;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (json[at] != '\x7F' && !is_c1(at)) continue;
    constexpr std::string_view digits = "0123456789abcdef";
    const std::size_t bytes = json[at] == '\x7F' ? 1 : 2;
    const auto code = static_cast<unsigned char>(json[at + bytes - 1]);
    escaped.append(json, copied, at - copied);
    escaped += {'\\', 'u', '0', '0', digits[code >> 4U], digits[code & 15U]};
    copied = at + bytes;
  }
  if (copied == 0) return json;
  escaped.append(json, copied);
  return escaped;
}

}  // namespace

std::string json_text(std::string_view text) {
  const std::string valid = to_utf8(text);
  return without_controls(
      boost::json::serialize(boost::json::string_view{valid.data(), valid.size()}));
}

}  // namespace concerto::tools
