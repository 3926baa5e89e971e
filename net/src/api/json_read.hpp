#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <concerto/core/error.hpp>
#include <concerto/core/request.hpp>

namespace concerto::net {

namespace json = boost::json;

/// Parses one JSON text into memory of `storage`, which has to outlive the value. Bytes that are
/// not UTF-8 and surrogates without their other half become U+FFFD, as in the reference. `what`
/// names the text in errors, as in `the request body`. Error invalid_request.
Result<json::value> parse_json(std::string_view text, std::string_view what,
                               json::storage_ptr storage);

/// What a value is, for people: `a string`, `an array`.
std::string_view kind_of(const json::value& value) noexcept;

/// `field 'gid' must be a string, but is a number`.
Error wrong_kind(std::string_view field, std::string_view wanted, const json::value& value);

/// Each stores the value of one field, or fails with invalid_request and names the field. They are
/// not called for null, which means "absent"; an inner null is the empty text.
Result<> read_json(std::string_view field, const json::value& value, std::string& target);
Result<> read_json(std::string_view field, const json::value& value, bool& target);
Result<> read_json(std::string_view field, const json::value& value, std::int64_t& target);
Result<> read_json(std::string_view field, const json::value& value, std::chrono::seconds& target);
Result<> read_json(std::string_view field, const json::value& value,
                   std::map<std::string, std::string>& target);
Result<> read_json(std::string_view field, const json::value& value,
                   std::vector<std::string>& target);

/// Steps of a request with the legacy payloads inside them (protocol page 02, section 3).
struct StepList {
  std::vector<Step> steps;
  std::vector<std::string> payloads;  ///< every `data` that is not empty
};

/// An array of objects whose values are all strings.
Result<> read_json(std::string_view field, const json::value& value, StepList& target);

}  // namespace concerto::net
