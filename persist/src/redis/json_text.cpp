#include "json_text.hpp"

#include <concerto/base/json_text.hpp>
#include <concerto/base/utf8.hpp>

namespace concerto::persist {

void append_json_string(std::string& out, std::string_view text) {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = to_utf8(text);
  concerto::append_json_string(out, text);
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
