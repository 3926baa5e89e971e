#include "config_yaml.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace concerto::tools {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// An optional sign, then digits with the prefix of their base, as Go's ParseInt with base 0.
std::optional<std::int64_t> integer_with_prefix(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);  // in lower case
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error != std::errc{} || stopped != end || value > max + (negative ? 1 : 0)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

/// A floating point number of YAML. Infinity and not-a-number are left out, as they are no
/// integers.
std::optional<double> decimal_number(std::string_view text) {
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  const std::string_view digits = text.substr(has_sign ? 1 : 0);
  if (text.starts_with('+')) text = digits;  // from_chars takes no plus
  const bool begins =
      !digits.empty() &&
      (is_digit(digits[0]) || (digits.size() > 1 && digits[0] == '.' && is_digit(digits[1])));
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (!begins || error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

constexpr const char* int_tag = "tag:yaml.org,2002:int";
constexpr const char* float_tag = "tag:yaml.org,2002:float";
constexpr const char* binary_tag = "tag:yaml.org,2002:binary";
constexpr const char* plain_tag = "?";  // yaml-cpp's tag of a value without quotes

bool takes_text(const KeyRow& row) {
  return std::holds_alternative<std::string& (*)(Config&)>(row.field) ||
         std::holds_alternative<LogLevel& (*)(Config&)>(row.field);
}

/// What a file is read into.
struct Reading {
  Config& config;
  const KeyTable& keys;
  Findings& findings;
  std::size_t keys_read = 0;
};

/// One key of the file.
struct Entry {
  std::string name;
  YAML::Node value;
  int line = 0;
};

std::string in_line(const Entry& entry) {
  return "line " + std::to_string(entry.line) + ": ";
}

/// What is probably a typing mistake in a key that closes something is an error: with a warning
/// alone it would be open. Other unknown keys are not, as the reference ignores them.
void note_unknown(const std::string& path, const Entry& entry, const KeyTable& keys,
                  Findings& findings) {
  const std::string_view meant = keys.own_key_like(path);
  const std::string section = path.substr(0, std::min(path.find('.'), path.size()));
  if (!is_unread_key(path) && !meant.empty()) {
    findings.errors.push_back(in_line(entry) + "unknown key '" + path + "'; '" +
                              std::string(meant) + "' was probably meant");
    return;
  }
  if (section != path && keys.is_own_section(section)) {
    findings.errors.push_back(in_line(entry) + "unknown key '" + path + "'; the section " +
                              section + " has no such key");
    return;
  }
  if (is_unread_key(path)) {
    findings.notices.push_back(path + ": nothing reads this key");
    return;
  }
  std::string text = "unknown key '" + path + "'";
  const std::string_view nearest = keys.nearest(path);
  if (!nearest.empty()) text.append("; the nearest known one is '").append(nearest).append("'");
  findings.unknown_keys.push_back(std::move(text));
}

void apply_scalar(const std::string& path, const Entry& entry, Reading& reading) {
  const YAML::Node& value = entry.value;
  Findings& findings = reading.findings;
  ++reading.keys_read;
  const KeyRow* row = reading.keys.find(path);
  if (row == nullptr) {
    note_unknown(path, entry, reading.keys, findings);
    return;
  }
  const bool has_none = value.IsNull() || (value.IsScalar() && is_blank(value.Scalar()));
  if (has_none && takes_text(*row) && reading.keys.needs_value(*row)) {
    findings.errors.push_back(in_line(entry) + path +
                              " is empty; remove the key, or give it a value");
  }
  if (value.IsNull()) return;  // `Key:` without a value leaves the key as it is
  if (!value.IsScalar()) {
    findings.errors.push_back(path + ": expected one value, found a list or map (put JSON in " +
                              "single quotes)");
    return;
  }
  std::string text = value.Scalar();
  const std::string& tag = value.Tag();
  if (tag == binary_tag) {
    const std::vector<unsigned char> bytes = YAML::DecodeBase64(text);
    text.assign(bytes.begin(), bytes.end());
  }
  std::optional<YamlInteger> number;
  if (!takes_text(*row) && (tag == plain_tag || tag == int_tag || tag == float_tag)) {
    number = yaml_integer(text);
    if (number && !number->exact && !is_number_of_reference(path)) number.reset();
  }
  if (auto set = set_key(reading.config, *row, number ? number->digits : text); !set) {
    const bool respelt = number && number->digits != text;
    findings.errors.push_back(set.error().detail + (respelt ? ", written as " + text : ""));
  } else if (number && !number->exact) {
    findings.notices.push_back(path + ": " + text + " is taken as " + number->digits +
                               ", as the key has whole numbers");
  }
}

using Entries = std::vector<Entry>;

/// The entries of a map and of the maps that it merges (`<<: *other`). The map's own entries take
/// precedence. `depth_left` ends the recursion of a map that merges itself.
void add_entries(const std::string& section, const YAML::Node& map, int depth_left,
                 std::set<std::string>& taken, Entries& entries, Findings& findings) {
  std::set<std::string> seen;
  std::vector<YAML::Node> merged;
  for (const auto& entry : map) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    if (!seen.insert(name).second) {
      findings.errors.push_back((section.empty() ? "" : section + ".") + name +
                                ": the key is there twice");
    } else if (name != "<<") {
      const int line = entry.first.Mark().line + 1;
      if (taken.insert(name).second) entries.push_back({name, entry.second, line});
    } else if (entry.second.IsSequence()) {
      for (const YAML::Node& other : entry.second) merged.push_back(other);
    } else {
      merged.push_back(entry.second);
    }
  }
  for (const YAML::Node& other : merged) {
    if (!other.IsMap() || depth_left == 0) {
      findings.errors.push_back(section + (section.empty() ? "" : ".") +
                                "<<: expected a map of keys to merge, or a list of such maps");
    } else {
      add_entries(section, other, depth_left - 1, taken, entries, findings);
    }
  }
}

bool is_section(const std::string& name, const KeyTable& keys) {
  return std::ranges::any_of(keys.rows(), [&name](const KeyRow& row) {
    return row.path.size() > name.size() && row.path.starts_with(name) &&
           row.path[name.size()] == '.';
  });
}

// Keys are at most two levels deep. A deeper key is unknown by its second level.
void apply_map(const std::string& section, const YAML::Node& map, Reading& reading) {
  constexpr int merges_max = 10;
  std::set<std::string> taken;
  Entries entries;
  add_entries(section, map, merges_max, taken, entries, reading.findings);
  for (const Entry& entry : entries) {
    const auto& [name, value, line] = entry;
    const std::string path = section.empty() ? name : section + "." + name;
    if (!section.empty() || !is_section(name, reading.keys)) {
      apply_scalar(path, entry, reading);
    } else if (value.IsMap()) {
      apply_map(name, value, reading);
    } else if (!value.IsNull()) {
      reading.findings.errors.push_back(path + ": expected a section with keys, found a value");
    }
  }
}

}  // namespace

std::optional<YamlInteger> yaml_integer(std::string_view plain) {
  if (plain.starts_with('_')) return std::nullopt;
  std::string text{plain};
  std::erase(text, '_');
  if (const auto whole = integer_with_prefix(text)) return YamlInteger{std::to_string(*whole)};
  const auto number = decimal_number(text);
  constexpr double limit = 9223372036854775808.0;  // 2^63, where the integers end
  if (!number || *number >= limit || *number < -limit) return std::nullopt;
  const double whole = std::trunc(*number);
  return YamlInteger{std::to_string(static_cast<std::int64_t>(whole)), whole == *number};
}

std::size_t apply_yaml(Config& config, const std::string& text, const KeyTable& keys,
                       Findings& findings) {
  Reading reading{config, keys, findings};
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsMap()) {
      apply_map("", root, reading);
    } else if (!root.IsNull()) {
      findings.errors.push_back("the configuration file is not a map of keys");
    }
  } catch (const YAML::Exception& error) {
    // yaml-cpp's message names the place and the fault and quotes nothing of the file.
    findings.errors.push_back("the configuration file is not valid YAML: " +
                              std::string{error.what()});
  }
  return reading.keys_read;
}

}  // namespace concerto::tools
