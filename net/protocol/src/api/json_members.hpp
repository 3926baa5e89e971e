#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <concerto/base/json_text.hpp>
#include <concerto/base/utf8.hpp>

namespace concerto::net {

/// Writes a JSON object, member by member, behind what a text has already. The functions leave out
/// what has its default, except those called `set`. Texts are UTF-8.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out) : out_(out) { out_ += '{'; }

  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) set_text(name, value);
  }
  void flag(std::string_view name, bool value) {
    if (value) set_flag(name, value);
  }
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) begin(name).append(std::to_string(value));
  }
  /// An object of texts, of which those that are not UTF-8 are repaired.
  void texts(std::string_view name, const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    JsonMembers inner(begin(name));
    for (const auto& [key, value] : values) inner.set_text(to_utf8(key), to_utf8(value));
    inner.end();
  }

  void set_text(std::string_view name, std::string_view value) {
    append_json_string(begin(name), value);
  }
  void set_flag(std::string_view name, bool value) { begin(name).append(value ? "true" : "false"); }

  /// The value of the member is to be appended to the result.
  std::string& begin(std::string_view name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    append_json_string(out_, name);
    return out_ += ':';
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool is_first_ = true;
};

/// Appends a JSON array: `append` is called for each of the values, and appends it.
template <class Values, class Append>
void append_json_array(std::string& out, const Values& values, Append append) {
  out += '[';
  const char* comma = "";
  for (const auto& value : values) {
    append(out.append(comma), value);
    comma = ",";
  }
  out += ']';
}

}  // namespace concerto::net
