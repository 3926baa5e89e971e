// Any JSON text. The tree of a text, once written, is read as the same tree; a repaired text is
// UTF-8.

#include <string>

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>

#include "api/json_read.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string_view{text.data(), text.size()});
}

void write(std::string& out, JsonValue value);

void write_inner(std::string& out, JsonValue value) {
  const bool is_object = value.is(JsonKind::object);
  std::size_t inner = 0;
  std::string_view separator = "";
  for (const JsonValue member : value) {
    out += separator;
    separator = ",";
    if (is_object) out.append(quoted(member.key())).append(":");
    write(out, member);
    inner += 1 + member.inner_values();
  }
  require(inner == value.inner_values());
}

void write(std::string& out, JsonValue value) {
  switch (value.kind()) {
    case JsonKind::null:
      out += "null";
      break;
    case JsonKind::boolean:
      out += value.boolean() ? "true" : "false";
      break;
    case JsonKind::integer:
    case JsonKind::natural:
    case JsonKind::fraction:
      out += value.number_text().empty() ? "0" : value.number_text();
      break;
    case JsonKind::text:
      require(is_utf8(value.text()));
      out += quoted(value.text());
      break;
    case JsonKind::array:
    case JsonKind::object:
      out += value.is(JsonKind::array) ? "[" : "{";
      write_inner(out, value);
      out += value.is(JsonKind::array) ? "]" : "}";
      break;
  }
}

void check_members(JsonValue root) {
  if (!root.is(JsonKind::object)) return;
  std::string_view last_name;
  for (const JsonValue member : root) {
    const auto found = root.find(member.key());
    require(found && found->key() == member.key());
    last_name = member.key();
    if (const auto whole = member.whole_number(); whole && member.is(JsonKind::integer)) {
      require(*whole == member.integer());
    }
  }
  require(root.inner_values() == 0 || root.find(last_name).has_value());
}

}  // namespace

void json_texts(std::string_view input) {
  const std::string clean = to_utf8(input);
  require(is_utf8(clean) && to_utf8(clean) == clean);
  require(!is_utf8(input) || clean == input);

  JsonTree strict;
  const bool is_strict = strict.parse(input).has_value();
  net::JsonText text;
  const bool is_read = text.parse(input, "the text").has_value();
  require(is_read || !is_strict);
  if (!is_read) return;
  check_members(text.root());
  std::string once;
  write(once, text.root());
  JsonTree again;
  require(again.parse(once).has_value());
  std::string twice;
  write(twice, again.root());
  require(twice == once && again.root().inner_values() == text.root().inner_values());
  if (!is_strict) return;
  std::string strictly;
  write(strictly, strict.root());
  require(strictly == once);
}

}  // namespace concerto::fuzz
