#include "api/answer_bodies.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/utf8.hpp>

namespace concerto::net {

namespace json = boost::json;

std::string result_body(std::string_view result, std::string_view message) {
  json::object body;
  if (!result.empty()) body["dtm_result"] = result;
  body["message"] = to_utf8(message);
  return json::serialize(body);
}

std::string rpc_answer_body(std::string_view id, const json::value& error,
                            const json::value& result) {
  std::string answer = R"({"error":)" + json::serialize(error) + R"(,"id":)";
  answer += id;
  answer += R"(,"jsonrpc":"2.0","result":)" + json::serialize(result) + "}";
  return answer;
}

json::value rpc_error_value(std::int64_t code, std::string_view message) {
  json::object error;
  error["code"] = code;
  error["message"] = to_utf8(message);
  return error;
}

}  // namespace concerto::net
