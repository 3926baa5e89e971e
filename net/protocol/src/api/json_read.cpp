#include "api/json_read.hpp"

#include <algorithm>
#include <optional>

#include <concerto/base/utf8.hpp>

namespace concerto::net {
namespace {

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

/// A field's name may come from outside, so a long name is cut.
std::string quoted(std::string_view field) {
  constexpr std::size_t shown_bytes_max = 128;
  std::string text = "field '";
  text.append(to_utf8(field.substr(0, shown_bytes_max))).append("'");
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

/// Reads a string; null gives the empty text.
Result<> read_text_or_null(std::string_view field, JsonValue value, std::string& target) {
  target.clear();
  return value.is(JsonKind::null) ? ok() : read_json(field, value, target);
}

Result<> read_step(std::string_view field, JsonValue value, StepList& target) {
  Step& step = target.steps.emplace_back();
  if (value.is(JsonKind::null)) return ok();
  if (!value.is(JsonKind::object)) return wrong_kind(field, "an object", value);
  for (const JsonValue member : value) {
    const std::string_view key = member.key();
    std::string text;
    CONCERTO_CHECK(read_text_or_null(inner_field(field, key), member, text));
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

Result<> JsonText::parse(std::string_view text, std::string_view what) {
  const Result<> parsed = tree_.parse(text);
  if (parsed) return ok();
  // The text may be wrong only in its encoding. That is rare, so it may cost a second attempt.
  repaired_ = without_lone_surrogates(to_utf8(text));
  if (repaired_ != text && tree_.parse(repaired_)) return ok();
  return make_error(Errc::invalid_request, std::string{what} + " is " + parsed.error().detail);
}

Error wrong_kind(std::string_view field, std::string_view wanted, JsonValue value) {
  std::string text = quoted(field);
  text.append(" must be ").append(wanted).append(", but is ").append(describe(value.kind()));
  return make_error(Errc::invalid_request, std::move(text));
}

Result<> read_json(std::string_view field, JsonValue value, std::string& target) {
  if (!value.is(JsonKind::text)) return wrong_kind(field, "a string", value);
  target = value.text();
  return ok();
}

Result<> read_json(std::string_view field, JsonValue value, bool& target) {
  if (!value.is(JsonKind::boolean)) return wrong_kind(field, "a boolean", value);
  target = value.boolean();
  return ok();
}

Result<> read_json(std::string_view field, JsonValue value, std::int64_t& target) {
  if (value.is(JsonKind::integer)) {
    target = value.integer();
    return ok();
  }
  if (value.is(JsonKind::natural)) {
    return make_error(Errc::invalid_request,
                      quoted(field) + " is out of range: " + std::to_string(value.natural()) +
                          " is more than 9223372036854775807");
  }
  if (value.is(JsonKind::fraction)) {
    return make_error(
        Errc::invalid_request,
        quoted(field) +
            " must be an integer, but is a number with fraction, exponent or too many digits");
  }
  return wrong_kind(field, "an integer", value);
}

Result<> read_json(std::string_view field, JsonValue value, std::chrono::seconds& target) {
  std::int64_t seconds = 0;
  CONCERTO_CHECK(read_json(field, value, seconds));
  target = std::chrono::seconds{seconds};
  return ok();
}

Result<> read_json(std::string_view field, JsonValue value,
                   std::map<std::string, std::string>& target) {
  if (!value.is(JsonKind::object)) return wrong_kind(field, "an object", value);
  target.clear();
  for (const JsonValue member : value) {
    const std::string_view key = member.key();
    CONCERTO_CHECK(read_text_or_null(inner_field(field, key), member, target[std::string{key}]));
  }
  return ok();
}

Result<> read_json(std::string_view field, JsonValue value, std::vector<std::string>& target) {
  if (!value.is(JsonKind::array)) return wrong_kind(field, "an array", value);
  target.clear();
  target.reserve(value.inner_values());
  for (const JsonValue element : value) {
    const std::string inner = element_of(field, target.size());
    CONCERTO_CHECK(read_text_or_null(inner, element, target.emplace_back()));
  }
  return ok();
}

Result<> read_json(std::string_view field, JsonValue value, StepList& target) {
  if (!value.is(JsonKind::array)) return wrong_kind(field, "an array", value);
  target.steps.clear();
  target.payloads.clear();
  for (const JsonValue element : value) {
    CONCERTO_CHECK(read_step(element_of(field, target.steps.size()), element, target));
  }
  return ok();
}

}  // namespace concerto::net
