#include "json_text.hpp"

#include <cstdio>

#include <concerto/base/utf8.hpp>

namespace concerto::persist {

namespace {

void append_escaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
    out += escaped;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = to_utf8(text);
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, begin, i - begin);
    append_escaped(out, c);
    begin = i + 1;
  }
  out.append(text, begin);
  out += '"';
}

void JsonObject::name(std::string_view name) {
  if (!empty()) text_ += ',';
  append_json_string(text_, name);
  text_ += ':';
}

void JsonObject::set_text(std::string_view member, std::string_view value) {
  name(member);
  append_json_string(text_, value);
}

void JsonObject::raw(std::string_view member, std::string_view json) {
  name(member);
  text_ += json;
}

}  // namespace concerto::persist
