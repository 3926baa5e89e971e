#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::net {

/// A JSON text that came from outside. As in the reference, bytes that are not UTF-8, and
/// surrogates without their other half, become U+FFFD.
class JsonText {
 public:
  /// Reads `text`, which has to outlive this object. `what` names the text in errors, such as `the
  /// request body`. Error: invalid_request.
  Result<> parse(std::string_view text, std::string_view what);
  JsonValue root() const noexcept { return tree_.root(); }

 private:
  std::string repaired_;
  JsonTree tree_;
};

/// An error such as `field 'gid' must be a string, but is a number`.
Error wrong_kind(std::string_view field, std::string_view wanted, JsonValue value);

/// These functions store the value of one field, or fail with invalid_request and name the field.
/// They are not called for null, which means that the field is absent. A null inside the value is
/// read as the empty text.
Result<> read_json(std::string_view field, JsonValue value, std::string& target);
Result<> read_json(std::string_view field, JsonValue value, bool& target);
Result<> read_json(std::string_view field, JsonValue value, std::int64_t& target);
Result<> read_json(std::string_view field, JsonValue value, std::chrono::seconds& target);
Result<> read_json(std::string_view field, JsonValue value,
                   std::map<std::string, std::string>& target);
Result<> read_json(std::string_view field, JsonValue value, std::vector<std::string>& target);

/// The steps of a request, and the payloads that old clients send inside the steps (protocol page
/// 02, section 3).
struct StepList {
  std::vector<Step> steps;
  std::vector<std::string> payloads;  ///< each `data` that is not empty
};

/// Reads an array of objects whose values are all strings.
Result<> read_json(std::string_view field, JsonValue value, StepList& target);

}  // namespace concerto::net
