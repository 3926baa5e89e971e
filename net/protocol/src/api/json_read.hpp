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

/// A JSON text that came from outside. Bytes that are not UTF-8 and surrogates without their other
/// half become U+FFFD, as in the reference.
class JsonText {
 public:
  /// Reads `text`, which has to outlive this object. `what` names it in errors, as in `the request
  /// body`. Error invalid_request.
  Result<> parse(std::string_view text, std::string_view what);
  JsonValue root() const noexcept { return tree_.root(); }

 private:
  std::string repaired_;
  JsonTree tree_;
};

/// `field 'gid' must be a string, but is a number`.
Error wrong_kind(std::string_view field, std::string_view wanted, JsonValue value);

/// Each stores the value of one field, or fails with invalid_request and names the field. They are
/// not called for null, which means "absent"; an inner null is the empty text.
Result<> read_json(std::string_view field, JsonValue value, std::string& target);
Result<> read_json(std::string_view field, JsonValue value, bool& target);
Result<> read_json(std::string_view field, JsonValue value, std::int64_t& target);
Result<> read_json(std::string_view field, JsonValue value, std::chrono::seconds& target);
Result<> read_json(std::string_view field, JsonValue value,
                   std::map<std::string, std::string>& target);
Result<> read_json(std::string_view field, JsonValue value, std::vector<std::string>& target);

/// Steps of a request with the legacy payloads inside them (protocol page 02, section 3).
struct StepList {
  std::vector<Step> steps;
  std::vector<std::string> payloads;  ///< every `data` that is not empty
};

/// An array of objects whose values are all strings.
Result<> read_json(std::string_view field, JsonValue value, StepList& target);

}  // namespace concerto::net
