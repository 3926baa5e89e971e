#include "rpc_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/net/http_error.hpp>

#include "json_options.hpp"
#include "percent.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

json::string_view json_view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string method_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t question = std::min(url.find('?'), url.size() - 1);
  for (auto& [key, value] : decode_query(url.substr(question + 1))) {
    if (key == "method") return std::move(value);
  }
  return {};
}

/// The members to add, without braces.
std::string own_members(const BranchCall& call) {
  const std::array<std::pair<std::string_view, std::string_view>, 4> members{
      {{"branch_id", call.branch_id},
       {"gid", call.gid->view()},
       {"op", call.op},
       {"trans_type", to_string(call.type)}}};
  std::string out;
  for (const auto& [key, value] : members) {
    if (!out.empty()) out += ',';
    out.append("\"").append(key).append("\":");
    out.append(json::serialize(json::string{json_view(value)}));
  }
  return out;
}

Result<std::string> params(const BranchCall& call) {
  const std::string own = own_members(call);
  const std::string_view blank = " \t\r\n";
  const std::size_t begin = call.payload.find_first_not_of(blank);
  if (begin == std::string_view::npos) return "{" + own + "}";
  error_code malformed;
  json::value payload = json::parse(json_view(call.payload), malformed, {}, json_parse_options());
  json::object* object = malformed ? nullptr : payload.if_object();
  if (!object) {
    return make_error(HttpErrc::bad_payload, "the payload of a JSON-RPC branch is no JSON object");
  }
  bool overrides = false;
  for (const char* key : {"branch_id", "gid", "op", "trans_type"}) {
    overrides = object->erase(key) > 0 || overrides;
  }
  std::string text;
  if (overrides) text = json::serialize(*object);
  const std::string_view members = overrides ? std::string_view{text} : call.payload.substr(begin);
  return "{" + own + (object->empty() ? "" : ",") + std::string{members.substr(1)};
}

}  // namespace

Result<std::string> rpc_request_body(const BranchCall& call, std::string_view id) {
  CONCERTO_TRY(const std::string members, params(call));
  const std::string method = json::serialize(json::string{method_of(call.url)});
  std::string out;
  out.append("{\"id\":\"").append(id).append("\",\"jsonrpc\":\"2.0\",\"method\":").append(method);
  out.append(",\"params\":").append(members).append("}");
  return out;
}

}  // namespace concerto::net
