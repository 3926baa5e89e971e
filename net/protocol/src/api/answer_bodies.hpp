#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace concerto::net {

// The JSON of answers, which is the same for answers of the coordinator and of services.

/// The words of `dtm_result` (protocol page 01, section 5). An answer without such a word is an
/// error.
inline constexpr std::string_view success_word = "SUCCESS";
inline constexpr std::string_view failure_word = "FAILURE";
inline constexpr std::string_view ongoing_word = "ONGOING";

/// The HTTP body of a success without further members.
inline constexpr std::string_view success_body = R"({"dtm_result":"SUCCESS"})";

/// `{"dtm_result":"<result>","message":"<message>"}`; an empty result is left out.
std::string result_body(std::string_view result, std::string_view message);

/// Codes of JSON-RPC errors.
inline constexpr std::int64_t rpc_other_error = -32603;
inline constexpr std::int64_t rpc_failure = -32901;
inline constexpr std::int64_t rpc_ongoing = -32902;

/// An answer of JSON-RPC. `id` is the JSON text of the request's id.
std::string rpc_answer_body(std::string_view id, const boost::json::value& error,
                            const boost::json::value& result);

/// The error of a JSON-RPC answer: an object with code and message.
boost::json::value rpc_error_value(std::int64_t code, std::string_view message);

}  // namespace concerto::net
