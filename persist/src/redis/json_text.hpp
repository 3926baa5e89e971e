#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concerto::persist {

/// Appends `text` as a JSON string.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON object member by member. The functions leave out what is empty, as the
/// reference does, unless their comment says otherwise.
class JsonObject {
 public:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) set_text(name, value);
  }
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) set_number(name, value);
  }
  /// Also empty texts and 0.
  void set_text(std::string_view name, std::string_view value);
  void set_number(std::string_view name, std::int64_t value) { raw(name, std::to_string(value)); }
  void set_bool(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  /// A member whose value is JSON already.
  void raw(std::string_view name, std::string_view json);

  bool empty() const noexcept { return text_.size() == 1; }
  std::string take() {
    text_ += '}';
    return std::move(text_);
  }

 private:
  void name(std::string_view name);

  std::string text_ = "{";
};

}  // namespace concerto::persist
