#include "json_text.hpp"

#include <cstdio>

#include <concerto/base/utf8.hpp>

namespace concerto::persist {

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : to_utf8(text)) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out += c;
        } else {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
          out += escaped;
        }
    }
  }
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
