#include "rpc_request.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json/serialize.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/percent.hpp>

namespace concerto::net {
namespace {

namespace json = boost::json;

json::string_view json_view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string method_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t question = std::min(url.find('?'), url.size() - 1);
  for (const auto& [key, value] : decode_query(url.substr(question + 1))) {
    if (key == "method") return to_utf8(value);  // Escapes in a URL may stand for any byte.
  }
  return {};
}

/// The members that are added to the params, without braces.
std::string own_members(const BranchCall& call) {
  const std::array<std::pair<std::string_view, std::string_view>, 4> members{
      {{"branch_id", call.branch_id},
       {"gid", call.gid->view()},
       {"op", call.op},
       {"trans_type", call.mode->name}}};
  std::string out;
  for (const auto& [key, value] : members) {
    if (!out.empty()) out += ',';
    out.append("\"").append(key).append("\":");
    out.append(json::serialize(json::string{json_view(value)}));
  }
  return out;
}

bool is_own(std::string_view key) noexcept {
  return key == "branch_id" || key == "gid" || key == "op" || key == "trans_type";
}

/// The members of an object without those that own_members adds, as in the object's text, which
/// must be valid JSON.
std::string other_members(std::string_view object, JsonValue members) {
  std::string out;
  auto member = members.begin();
  std::size_t begin = 1;
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 1; i < object.size() && member != members.end(); ++i) {
    const char c = object[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') ++depth;
    const bool ends_member = depth == 0 && (c == ',' || c == '}');
    if (c == '}' || c == ']') depth -= depth > 0 ? 1 : 0;
    if (!ends_member) continue;
    if (!is_own((*member).key())) out.append(",").append(object.substr(begin, i - begin));
    begin = i + 1;
    ++member;
  }
  return out;
}

constexpr std::string_view blank = " \t\r\n";

Result<> parse_object(std::string_view text, JsonTree& payload) {
  if (const Result<> parsed = payload.parse(text); !parsed) {
    return make_error(HttpErrc::bad_payload,
                      "the payload of a JSON-RPC branch is " + parsed.error().detail);
  }
  if (payload.root().is(JsonKind::object)) return ok();
  return make_error(HttpErrc::bad_payload, "the payload of a JSON-RPC branch is no JSON object");
}

Result<std::string> params(const BranchCall& call) {
  const std::string own = own_members(call);
  const std::size_t begin = call.payload.find_first_not_of(blank);
  if (begin == std::string_view::npos) return "{" + own + "}";
  JsonTree payload;
  CONCERTO_CHECK(parse_object(call.payload, payload));
  return "{" + own + other_members(call.payload.substr(begin), payload.root()) + "}";
}

/// Reads a member that is a string; an absent member is empty.
Result<std::string> text_member(JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  if (!member) return std::string{};
  if (member->is(JsonKind::text)) return std::string{member->text()};
  return make_error(Errc::invalid_request, "'" + std::string{name} + "' of a JSON-RPC call is " +
                                               std::string{describe(member->kind())} +
                                               " and no string");
}

Result<ReceivedCall> names_in(JsonValue params) {
  ReceivedCall call;
  CONCERTO_TRY(call.gid, text_member(params, "gid"));
  CONCERTO_TRY(call.trans_type, text_member(params, "trans_type"));
  CONCERTO_TRY(call.branch_id, text_member(params, "branch_id"));
  CONCERTO_TRY(call.op, text_member(params, "op"));
  return call;
}

}  // namespace

Result<> check_rpc_payload(std::string_view payload) {
  if (payload.find_first_not_of(blank) == std::string_view::npos) return ok();
  JsonTree tree;
  return parse_object(payload, tree);
}

Result<std::string> rpc_request_body(const BranchCall& call, std::string_view id) {
  CONCERTO_TRY(const std::string members, params(call));
  const std::string method = json::serialize(json::string{method_of(call.url)});
  std::string out;
  out.append("{\"id\":\"").append(id).append("\",\"jsonrpc\":\"2.0\",\"method\":").append(method);
  out.append(",\"params\":").append(members).append("}");
  return out;
}

Result<ReceivedRpcCall> received_rpc_call(std::string_view body) {
  JsonTree tree;
  CONCERTO_CHECK(tree.parse(body));
  const JsonValue root = tree.root();
  const auto params = root.is(JsonKind::object) ? root.find("params") : std::nullopt;
  if (!params || !params->is(JsonKind::object)) {
    return make_error(Errc::invalid_request, "a JSON-RPC call is an object with params");
  }
  ReceivedRpcCall received;
  CONCERTO_TRY(received.id, text_member(root, "id"));
  CONCERTO_TRY(received.method, text_member(root, "method"));
  CONCERTO_TRY(received.call, names_in(*params));
  return received;
}

}  // namespace concerto::net
