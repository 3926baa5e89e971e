// Conversion between the text of a key's value and the member that holds the value.
#include <array>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include <concerto/base/masked_url.hpp>

#include "config_keys.hpp"
#include "secrets.hpp"

namespace concerto::tools {
namespace {

struct ByteUnit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array<ByteUnit, 3> byte_units{
    {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", std::int64_t{1} << 30}}};

// The names that the reference accepts. Its levels above error are for a process that ends; no line
// here is above error. The first name of a level is the one that is printed.
constexpr std::array<std::pair<std::string_view, LogLevel>, 8> levels{{{"debug", LogLevel::debug},
                                                                       {"info", LogLevel::info},
                                                                       {"", LogLevel::info},
                                                                       {"warn", LogLevel::warn},
                                                                       {"error", LogLevel::error},
                                                                       {"dpanic", LogLevel::error},
                                                                       {"panic", LogLevel::error},
                                                                       {"fatal", LogLevel::error}}};

constexpr std::string_view mask = "***";

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<std::int64_t> integer_from(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> bytes_from(std::string_view text) {
  for (const ByteUnit& unit : byte_units) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    while (text.ends_with(' ')) text.remove_suffix(1);
    const auto count = integer_from(text);
    if (!count || *count > std::numeric_limits<std::int64_t>::max() / unit.bytes) {
      return std::nullopt;
    }
    return *count * unit.bytes;
  }
  return integer_from(text);
}

Error bad_value(const KeyRow& row, std::string_view expected, std::string_view text) {
  const std::string_view shown = row.secrecy == Secrecy::open ? text : mask;
  return make_error(Errc::invalid_request, std::string{row.path} + ": expected " +
                                               std::string{expected} + ", found '" +
                                               std::string{shown} + "'");
}

std::string expectation(const KeyRow& row) {
  std::string text = row.in_bytes ? "a number of bytes (or of KiB, MiB, GiB)" : "an integer";
  constexpr auto unlimited = std::numeric_limits<std::int64_t>::max();
  if (row.range.min == KeyRange::any().min) return text;
  text += " from " + std::to_string(row.range.min);
  text += row.range.max == unlimited ? " on" : " to " + std::to_string(row.range.max);
  return text;
}

Result<std::int64_t> number_from(const KeyRow& row, std::string_view text) {
  const auto value = row.in_bytes ? bytes_from(text) : integer_from(text);
  if (!value || *value < row.range.min || *value > row.range.max) {
    return bad_value(row, expectation(row), text);
  }
  return *value;
}

Result<> assign(std::string& target, const KeyRow&, std::string_view text) {
  target = text;
  return ok();
}

Result<> assign(bool& target, const KeyRow& row, std::string_view text) {
  const std::string word = lower_case(text);
  const auto number = integer_from(text);
  const bool is_known = number ? *number == 0 || *number == 1 || is_number_of_reference(row.path)
                               : word == "true" || word == "false";
  if (!is_known) return bad_value(row, "0 or 1", text);
  target = number ? *number != 0 : word == "true";
  return ok();
}

Result<> assign(LogLevel& target, const KeyRow& row, std::string_view text) {
  const std::string word = lower_case(text);
  for (const auto& [name, level] : levels) {
    if (name == word) {
      target = level;
      return ok();
    }
  }
  return bad_value(row, "debug, info, warn or error", text);
}

template <class Number>
Result<> assign(Number& target, const KeyRow& row, std::string_view text) {
  CONCERTO_TRY(const std::int64_t value, number_from(row, text));
  if constexpr (std::is_integral_v<Number>) {
    target = static_cast<Number>(value);
  } else {
    target = Number{value};
  }
  return ok();
}

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(bool value) {
  return value ? "1" : "0";
}

std::string text_of(LogLevel value) {
  for (const auto& [name, level] : levels) {
    if (level == value) return std::string{name};
  }
  return {};
}

template <class Number>
std::string text_of(const Number& value) {
  if constexpr (std::is_integral_v<Number>) {
    return std::to_string(value);
  } else {
    return std::to_string(value.count());
  }
}

/// Without a scheme nobody knows where a password begins.
bool may_hide_secrets(std::string_view no_url) {
  return no_url.find("://") == std::string_view::npos &&
         no_url.find_first_of("@?&=") != std::string_view::npos;
}

// Masks the password and every value of the query: which parameters give access differs by
// registry.
std::string mask_url(std::string url) {
  const auto query = url.find('?');
  if (query != std::string::npos) {
    std::string masked = url.substr(0, query);
    bool in_value = false;
    for (const char c : url.substr(query)) {
      if (c == '&') in_value = false;
      if (!in_value) masked += c;
      if (c == '=' && !in_value) {
        in_value = true;
        masked += mask;
      }
    }
    url = std::move(masked);
  }
  return masked_url(url);
}

}  // namespace

Result<> set_key(Config& config, const KeyRow& row, std::string_view text) {
  CONCERTO_CHECK(
      std::visit([&](auto member) { return assign(member(config), row, text); }, row.field));
  if (row.is_set != nullptr) row.is_set(config) = true;
  return ok();
}

std::string key_text(const Config& config, const KeyRow& row) {
  // The accessors are for reading and writing. Nothing is written here.
  auto& readable = const_cast<Config&>(config);
  return std::visit([&](auto member) { return text_of(member(readable)); }, row.field);
}

std::string masked_text(const Config& config, const KeyRow& row) {
  std::string text = key_text(config, row);
  switch (row.secrecy) {
    case Secrecy::open:
      return masked_userinfo(text);
    case Secrecy::secret:
      return text.empty() || text == "{}" ? text : std::string{mask};
    case Secrecy::url_secrets:
      return may_hide_secrets(text) ? std::string{mask} : mask_url(std::move(text));
    case Secrecy::url_path:
      return masked_url_beyond_host(text);
  }
  return std::string{mask};
}

}  // namespace concerto::tools
