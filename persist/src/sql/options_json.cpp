#include "options_json.hpp"

#include <utility>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

/// A JSON string with the escapes that the reference writes.
std::string quoted(std::string_view raw) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::string text = to_utf8(raw);
  std::string json = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const std::string_view rest = std::string_view(text).substr(i, 3);
    if (c == '"' || c == '\\') {
      json += {'\\', c};
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\r') {
      json += "\\r";
    } else if (c == '\t') {
      json += "\\t";
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      json += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    } else if (rest == "\u2028" || rest == "\u2029") {
      json += rest == "\u2028" ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      json += c;
    }
  }
  return json + "\"";
}

/// Writes the members of one object.
class Members {
 public:
  void value(std::string_view name, std::string_view json) {
    text_ += text_.size() > 1 ? ",\"" : "\"";
    text_.append(name).append("\":").append(json);
  }
  void number(std::string_view name, std::int64_t number) {
    if (number != 0) value(name, std::to_string(number));
  }
  std::string take() { return std::move(text_) + "}"; }

 private:
  std::string text_ = "{";
};

std::string headers_text(const std::map<std::string, std::string>& headers) {
  std::string text = "{";
  for (const auto& [name, value] : headers) {
    if (text.size() > 1) text += ',';
    text += quoted(name) + ":" + quoted(value);
  }
  return text + "}";
}

Error damaged(std::string_view what, const std::string& why) {
  return make_error(EngineErrc::store_damaged, std::string(what) + ": " + why);
}

Result<> read_number(JsonValue member, std::int64_t& number) {
  const auto whole = member.whole_number();
  if (!whole) return damaged("options", "'" + std::string(member.key()) + "' is no whole number");
  number = *whole;
  return ok();
}

Result<> read_seconds(JsonValue member, std::chrono::seconds& seconds) {
  std::int64_t number = 0;
  CONCERTO_CHECK(read_number(member, number));
  seconds = std::chrono::seconds{number};
  return ok();
}

Result<> read_headers(JsonValue object, std::string_view column,
                      std::map<std::string, std::string>& headers) {
  if (object.is(JsonKind::null)) return ok();
  if (!object.is(JsonKind::object)) return damaged(column, "the headers are no object");
  for (const JsonValue header : object) {
    if (!header.is(JsonKind::text)) return damaged(column, "a header is no string");
    headers.emplace(header.key(), header.text());
  }
  return ok();
}

Result<> read_option(JsonValue member, OptionsColumn& column) {
  TransOptions& options = column.options;
  const std::string_view name = member.key();
  if (member.is(JsonKind::null)) return ok();
  if (name == "timeout_to_fail") return read_seconds(member, options.timeout_to_fail);
  if (name == "request_timeout") return read_seconds(member, options.request_timeout);
  if (name == "retry_interval") return read_seconds(member, options.retry_interval);
  if (name == "retry_limit") return read_number(member, options.retry_limit);
  if (name == "retry_count") return read_number(member, column.retry_count);
  if (name == "branch_headers") return read_headers(member, "options", options.branch_headers);
  if (name != "wait_result" && name != "concurrent") return ok();
  if (!member.is(JsonKind::boolean)) {
    return damaged("options", "'" + std::string(name) + "' is neither true nor false");
  }
  (name == "concurrent" ? options.concurrent : options.wait_result) = member.boolean();
  return ok();
}

}  // namespace

std::string options_text(const OptionsColumn& column) {
  const TransOptions& options = column.options;
  Members members;
  if (options.wait_result) members.value("wait_result", "true");
  members.number("timeout_to_fail", options.timeout_to_fail.count());
  members.number("request_timeout", options.request_timeout.count());
  members.number("retry_interval", options.retry_interval.count());
  if (!options.branch_headers.empty()) {
    members.value("branch_headers", headers_text(options.branch_headers));
  }
  members.value("concurrent", options.concurrent ? "true" : "false");
  members.number("retry_limit", options.retry_limit);
  members.number("retry_count", column.retry_count);
  return members.take();
}

Result<OptionsColumn> read_options(std::string_view text) {
  OptionsColumn column;
  if (text.empty()) return column;
  JsonTree tree;
  const Result<> parsed = tree.parse(text);
  if (!parsed) return damaged("options", parsed.error().detail);
  if (!tree.root().is(JsonKind::object)) return damaged("options", "no object");
  for (const JsonValue member : tree.root()) CONCERTO_CHECK(read_option(member, column));
  return column;
}

Result<> add_ext_headers(std::string_view ext_data, std::map<std::string, std::string>& headers) {
  if (ext_data.empty()) return ok();
  JsonTree tree;
  const Result<> parsed = tree.parse(ext_data);
  if (!parsed) return damaged("ext_data", parsed.error().detail);
  if (!tree.root().is(JsonKind::object)) return damaged("ext_data", "no object");
  const auto found = tree.root().find("headers");
  return found ? read_headers(*found, "ext_data", headers) : ok();
}

}  // namespace concerto::persist
