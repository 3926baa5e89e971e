#include "api/json_read.hpp"

#include <limits>
#include <optional>

#include <boost/json/parser.hpp>

#include "api/utf8.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t json_depth_max = 256;

/// The code unit of `\uXXXX` at the start of `text`.
std::optional<unsigned> unicode_escape(std::string_view text) noexcept {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  unsigned unit = 0;
  for (const char digit : text.substr(2, 4)) {
    unit <<= 4;
    if (digit >= '0' && digit <= '9') {
      unit += static_cast<unsigned>(digit - '0');
    } else if (digit >= 'a' && digit <= 'f') {
      unit += static_cast<unsigned>(digit - 'a') + 10;
    } else if (digit >= 'A' && digit <= 'F') {
      unit += static_cast<unsigned>(digit - 'A') + 10;
    } else {
      return std::nullopt;
    }
  }
  return unit;
}

bool is_high_surrogate(unsigned unit) noexcept {
  return (unit & 0xFC00U) == 0xD800U;
}
bool is_low_surrogate(unsigned unit) noexcept {
  return (unit & 0xFC00U) == 0xDC00U;
}

/// `text` with `\ufffd` in place of every escaped surrogate that stands alone.
std::string without_lone_surrogates(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  const auto take = [&](std::size_t bytes) {
    result += text.substr(0, bytes);
    text.remove_prefix(std::min(bytes, text.size()));
  };
  while (!text.empty()) {
    if (text.front() != '\\') {
      take(std::min(text.find('\\'), text.size()));
      continue;
    }
    const std::optional<unsigned> unit = unicode_escape(text);
    if (!unit) {
      take(2);
    } else if (is_high_surrogate(*unit) &&
               is_low_surrogate(unicode_escape(text.substr(6)).value_or(0))) {
      take(12);
    } else if (is_high_surrogate(*unit) || is_low_surrogate(*unit)) {
      result += "\\ufffd";
      text.remove_prefix(6);
    } else {
      take(6);
    }
  }
  return result;
}

struct Parsed {
  json::value value;
  error_code error;
  std::size_t error_at = 0;
};

Parsed try_parse(std::string_view text, const json::storage_ptr& storage) {
  json::parse_options options;
  options.max_depth = json_depth_max;
  json::parser parser{storage, options};
  Parsed parsed;
  parsed.error_at = parser.write(text.data(), text.size(), parsed.error);
  if (!parsed.error) parsed.value = parser.release();
  return parsed;
}

std::string quoted(std::string_view field) {
  std::string text = "field '";
  text.append(field).append("'");
  return text;
}

std::string element_of(std::string_view field, std::size_t index) {
  return std::string{field} + "[" + std::to_string(index) + "]";
}

std::string inner_field(std::string_view field, std::string_view key) {
  std::string name{field};
  name.append(".").append(key);
  return name;
}

/// The text of a string; of null, the empty one.
Result<> read_text_or_null(std::string_view field, const json::value& value, std::string& target) {
  target.clear();
  return value.is_null() ? ok() : read_json(field, value, target);
}

Result<> read_step(std::string_view field, const json::value& value, StepList& target) {
  Step& step = target.steps.emplace_back();
  if (value.is_null()) return ok();
  if (!value.is_object()) return wrong_kind(field, "an object", value);
  for (const auto& member : value.get_object()) {
    const std::string_view key = member.key();
    std::string text;
    CONCERTO_CHECK(read_text_or_null(inner_field(field, key), member.value(), text));
    if (key == "action") {
      step.action = std::move(text);
    } else if (key == "compensate") {
      step.compensate = std::move(text);
    } else if (key == "data" && !text.empty()) {
      target.payloads.push_back(std::move(text));
    }
  }
  return ok();
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::string_view what,
                               json::storage_ptr storage) {
  Parsed parsed = try_parse(text, storage);
  if (!parsed.error) return std::move(parsed.value);
  // Rare enough to cost a second attempt: text that only its encoding makes wrong.
  const std::string repaired = without_lone_surrogates(to_utf8(text));
  if (repaired != text) {
    Parsed again = try_parse(repaired, storage);
    if (!again.error) return std::move(again.value);
  }
  return make_error(Errc::invalid_request,
                    std::string{what} + " is not JSON: " + parsed.error.message() + " at byte " +
                        std::to_string(parsed.error_at) + " of " + std::to_string(text.size()));
}

std::string_view kind_of(const json::value& value) noexcept {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "of an unknown kind";
}

Error wrong_kind(std::string_view field, std::string_view wanted, const json::value& value) {
  std::string text = quoted(field);
  text.append(" must be ").append(wanted).append(", but is ").append(kind_of(value));
  return make_error(Errc::invalid_request, std::move(text));
}

Result<> read_json(std::string_view field, const json::value& value, std::string& target) {
  if (!value.is_string()) return wrong_kind(field, "a string", value);
  target = std::string_view{value.get_string()};
  return ok();
}

Result<> read_json(std::string_view field, const json::value& value, bool& target) {
  if (!value.is_bool()) return wrong_kind(field, "a boolean", value);
  target = value.get_bool();
  return ok();
}

Result<> read_json(std::string_view field, const json::value& value, std::int64_t& target) {
  if (value.is_int64()) {
    target = value.get_int64();
    return ok();
  }
  if (value.is_uint64()) {
    return make_error(Errc::invalid_request,
                      quoted(field) + " is out of range: " + std::to_string(value.get_uint64()) +
                          " is more than 9223372036854775807");
  }
  if (value.is_double()) {
    return make_error(
        Errc::invalid_request,
        quoted(field) +
            " must be an integer, but is a number with fraction, exponent or too many digits");
  }
  return wrong_kind(field, "an integer", value);
}

Result<> read_json(std::string_view field, const json::value& value, std::chrono::seconds& target) {
  std::int64_t seconds = 0;
  CONCERTO_CHECK(read_json(field, value, seconds));
  target = std::chrono::seconds{seconds};
  return ok();
}

Result<> read_json(std::string_view field, const json::value& value,
                   std::map<std::string, std::string>& target) {
  if (!value.is_object()) return wrong_kind(field, "an object", value);
  target.clear();
  for (const auto& member : value.get_object()) {
    const std::string_view key = member.key();
    CONCERTO_CHECK(
        read_text_or_null(inner_field(field, key), member.value(), target[std::string{key}]));
  }
  return ok();
}

Result<> read_json(std::string_view field, const json::value& value,
                   std::vector<std::string>& target) {
  if (!value.is_array()) return wrong_kind(field, "an array", value);
  target.clear();
  target.reserve(value.get_array().size());
  for (const json::value& element : value.get_array()) {
    const std::string inner = element_of(field, target.size());
    CONCERTO_CHECK(read_text_or_null(inner, element, target.emplace_back()));
  }
  return ok();
}

Result<> read_json(std::string_view field, const json::value& value, StepList& target) {
  if (!value.is_array()) return wrong_kind(field, "an array", value);
  target.steps.clear();
  target.payloads.clear();
  target.steps.reserve(value.get_array().size());
  for (const json::value& element : value.get_array()) {
    CONCERTO_CHECK(read_step(element_of(field, target.steps.size()), element, target));
  }
  return ok();
}

}  // namespace concerto::net
