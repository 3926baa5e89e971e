#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include <concerto/base/json_tree.hpp>

namespace concerto {

namespace json = boost::json;

/// Receives the parts of a text, in order, from Boost.JSON's parser.
class JsonHandler {
 public:
  static constexpr std::size_t max_object_size = json_values_max;
  static constexpr std::size_t max_array_size = json_values_max;
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  JsonHandler(JsonTree& tree, std::string_view source)
      : nodes_(tree.nodes_), memory_(tree.memory_), source_(source) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code& error) { return open(JsonKind::array, error); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_object_begin(error_code& error) { return open(JsonKind::object, error); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(json::string_view part, std::size_t, error_code&) { return add(part); }
  bool on_key(json::string_view last, std::size_t, error_code&) {
    key_ = whole(last);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) { return add(part); }
  bool on_string(json::string_view last, std::size_t, error_code& error) {
    if (!append(JsonKind::text, error)) return false;
    nodes_.back().text = whole(last);
    return true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view digits, error_code& error) {
    if (!append_number(JsonKind::integer, digits, error)) return false;
    nodes_.back().number.integer = value;
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view digits, error_code& error) {
    if (!append_number(JsonKind::natural, digits, error)) return false;
    nodes_.back().number.natural = value;
    return true;
  }
  bool on_double(double value, json::string_view digits, error_code& error) {
    if (!append_number(JsonKind::fraction, digits, error)) return false;
    nodes_.back().number.fraction = value;
    return true;
  }
  bool on_bool(bool value, error_code& error) {
    if (!append(JsonKind::boolean, error)) return false;
    nodes_.back().boolean = value;
    return true;
  }
  bool on_null(error_code& error) { return append(JsonKind::null, error); }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  bool append(JsonKind kind, error_code& error) {
    if (nodes_.size() == json_values_max) {
      error = json::error::array_too_large;
      return false;
    }
    JsonValue::Node& node = nodes_.emplace_back();
    node.key = std::exchange(key_, {});
    node.kind = kind;
    return true;
  }

  /// `digits` is the whole number, and it is in the source: the parser gets the whole text at once.
  bool append_number(JsonKind kind, json::string_view digits, error_code& error) {
    if (!append(kind, error)) return false;
    JsonValue::Node& node = nodes_.back();
    node.number.digits = digits.data();
    const bool is_kept = digits.size() <= json_number_text_bytes_max;
    node.number_bytes = is_kept ? static_cast<std::uint16_t>(digits.size()) : std::uint16_t{0};
    return true;
  }

  bool open(JsonKind kind, error_code& error) {
    if (!append(kind, error)) return false;
    // While the value is open, `nodes` has the index of the value around it.
    nodes_.back().nodes = open_;
    open_ = static_cast<std::uint32_t>(nodes_.size() - 1);
    return true;
  }

  bool close() {
    JsonValue::Node& node = nodes_[open_];
    const auto count = static_cast<std::uint32_t>(nodes_.size() - open_);
    open_ = std::exchange(node.nodes, count);
    return true;
  }

  bool add(json::string_view part) {
    parts_.append(part.data(), part.size());
    return true;
  }

  /// The text that ends with `last`. It is a part of the source, unless it has escapes or is in a
  /// buffer of the parser: then it is a copy.
  std::string_view whole(json::string_view last) {
    if (!parts_.empty()) {
      add(last);
      const std::string_view text = kept(parts_);
      parts_.clear();
      return text;
    }
    const std::string_view text{last.data(), last.size()};
    const bool is_in_source =
        std::less_equal<>{}(source_.data(), text.data()) &&
        std::less_equal<>{}(text.data() + text.size(), source_.data() + source_.size());
    return is_in_source ? text : kept(text);
  }

  std::string_view kept(std::string_view text) {
    if (text.empty()) return {};
    char* copy = static_cast<char*>(memory_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  std::pmr::vector<JsonValue::Node>& nodes_;
  std::pmr::memory_resource& memory_;
  std::string_view source_;
  std::string_view key_;
  std::string parts_;
  std::uint32_t open_ = 0;
};

namespace {

std::string reason_of(const error_code& error) {
  if (error != json::error::array_too_large) return error.message();
  return "more than " + std::to_string(json_values_max) + " values";
}

}  // namespace

std::string_view describe(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::integer:
    case JsonKind::natural:
    case JsonKind::fraction:
      return "a number";
    case JsonKind::text:
      return "a string";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "of an unknown kind";
}

std::optional<JsonValue> JsonValue::find(std::string_view name) const noexcept {
  std::optional<JsonValue> found;
  if (!is(JsonKind::object)) return found;
  for (const JsonValue member : *this) {
    if (member.key() == name) found = member;
  }
  return found;
}

std::optional<std::int64_t> JsonValue::whole_number() const noexcept {
  constexpr double beyond = 9223372036854775808.0;
  if (is(JsonKind::integer)) return integer();
  if (!is(JsonKind::fraction) || !(fraction() >= -beyond && fraction() < beyond)) {
    return std::nullopt;
  }
  const auto whole = static_cast<std::int64_t>(fraction());
  if (static_cast<double>(whole) != fraction()) return std::nullopt;
  return whole;
}

Result<> JsonTree::parse(std::string_view text) {
  nodes_.clear();
  json::parse_options options;
  options.max_depth = json_depth_max;
  json::basic_parser<JsonHandler> parser{options, *this, text};
  error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (!error) return ok();
  nodes_.clear();
  return make_error(Errc::invalid_request, "not JSON: " + reason_of(error) + " at byte " +
                                               std::to_string(read) + " of " +
                                               std::to_string(text.size()));
}

}  // namespace concerto
