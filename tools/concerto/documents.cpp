#include "documents.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <yaml-cpp/yaml.h>

#include <concerto/base/json_text.hpp>
#include <concerto/base/utf8.hpp>

namespace concerto::tools {
namespace {

/// `\u00AD` for a character of UTF-8 that a terminal obeys or does not show; empty for others.
std::string number_if_unseen(std::string_view character) {
  if (character.size() < 2) return {};
  const std::string shown = visible_line(character);
  return shown.size() == 6 && shown.front() == '\\' ? shown : std::string();
}

std::string json_string(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, to_utf8(text));
  if (std::all_of(quoted.begin(), quoted.end(), [](char c) { return (c & 0x80) == 0; })) {
    return quoted;
  }
  std::string seen;
  for (std::string_view left = quoted; !left.empty();) {
    const std::size_t bytes = std::max<std::size_t>(utf8_sequence_bytes(left), 1);
    const std::string number = number_if_unseen(left.substr(0, bytes));
    seen += number.empty() ? left.substr(0, bytes) : number;
    left.remove_prefix(bytes);
  }
  return seen;
}

constexpr std::size_t one_line = static_cast<std::size_t>(-1);

void new_line(std::string& out, std::size_t depth) {
  if (depth == one_line) return;
  out += '\n';
  out.append(2 * depth, ' ');
}

/// Digits that every reader of JSON and YAML takes for a number, and for a fraction if it is one.
std::string digits_of(const json::value& value) {
  if (!value.is_double()) return json::serialize(value);
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.begin(), text.end(), value.get_double()).ptr;
  std::string digits(text.begin(), end);
  if (digits.find('.') != std::string::npos) return digits;
  const std::size_t exponent = digits.find('e');
  return digits.insert(exponent == std::string::npos ? digits.size() : exponent, ".0");
}

/// `depth`: of indentation, or one_line.
void append_json(std::string& out, const json::value& value, std::size_t depth) {
  const std::size_t inner = depth == one_line ? one_line : depth + 1;
  bool is_first = true;
  const auto begin_part = [&] {
    if (!is_first) out += ',';
    is_first = false;
    new_line(out, inner);
  };
  if (value.is_object() && !value.get_object().empty()) {
    out += '{';
    for (const auto& [key, part] : value.get_object()) {
      begin_part();
      out += json_string(key);
      out += depth == one_line ? ":" : ": ";
      append_json(out, part, inner);
    }
    new_line(out, depth);
    out += '}';
  } else if (value.is_array() && !value.get_array().empty()) {
    out += '[';
    for (const json::value& part : value.get_array()) {
      begin_part();
      append_json(out, part, inner);
    }
    new_line(out, depth);
    out += ']';
  } else if (value.is_string()) {
    out += json_string(value.get_string());
  } else {
    out += digits_of(value);
  }
}

/// Whether a reader of YAML takes the bare text for this text and nothing else.
bool is_plain_in_yaml(std::string_view text) {
  static constexpr std::array<std::string_view, 9> words = {"true", "false", "yes", "no", "on",
                                                            "off",  "null",  "y",   "n"};
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) return false;
  std::string lower;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && std::string_view("_.-/").find(c) == std::string_view::npos) {
      return false;
    }
    lower += static_cast<char>(std::tolower(byte));
  }
  return std::find(words.begin(), words.end(), lower) == words.end();
}

void emit_text(YAML::Emitter& out, std::string_view text) {
  const std::string whole = to_utf8(text);
  if (is_plain_in_yaml(whole)) {
    out << whole;
  } else {
    out << YAML::DoubleQuoted << whole;
  }
}

void emit(YAML::Emitter& out, const json::value& value) {
  if (value.is_object()) {
    out << (value.get_object().empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, part] : value.get_object()) {
      out << YAML::Key;
      emit_text(out, key);
      out << YAML::Value;
      emit(out, part);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << (value.get_array().empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const json::value& part : value.get_array()) emit(out, part);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    emit_text(out, value.get_string());
  } else if (value.is_null()) {
    out << YAML::Null;
  } else if (value.is_bool()) {
    out << value.get_bool();
  } else {
    out << digits_of(value);
  }
}

/// yaml-cpp writes what it is given, but for control characters. The direction of text and the like
/// are left: in double quotes YAML knows the numbers of JSON.
std::string without_unseen(std::string_view yaml) {
  std::string seen;
  for (std::string_view left = yaml; !left.empty();) {
    const std::size_t bytes = std::max<std::size_t>(utf8_sequence_bytes(left), 1);
    const std::string number = number_if_unseen(left.substr(0, bytes));
    seen += number.empty() ? left.substr(0, bytes) : number;
    left.remove_prefix(bytes);
  }
  return seen;
}

}  // namespace

std::string json_line(const json::value& value) {
  std::string line;
  append_json(line, value, one_line);
  return line;
}

void write_document(std::ostream& out, Form form, const json::value& value) {
  if (form == Form::json) {
    std::string text;
    append_json(text, value, 0);
    out << text << '\n' << std::flush;
    return;
  }
  YAML::Emitter yaml;
  emit(yaml, value);
  out << without_unseen(yaml.c_str()) << '\n' << std::flush;
}

void DocumentSequence::add(const json::value& value) {
  if (form_ == Form::json) {
    std::string text = is_empty_ ? "[\n  " : ",\n  ";
    append_json(text, value, 1);
    out_ << text;
  } else {
    json::array alone;
    alone.push_back(value);
    write_document(out_, form_, alone);
  }
  is_empty_ = false;
}

void DocumentSequence::end() {
  if (is_empty_) {
    out_ << "[]\n";
  } else if (form_ == Form::json) {
    out_ << "\n]\n";
  }
  out_ << std::flush;
}

}  // namespace concerto::tools
