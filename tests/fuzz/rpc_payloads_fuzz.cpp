// Payloads of JSON-RPC branches, after a line with the URL. The body of the call is JSON. It has
// the coordinator's own members once, and the payload's other members with unchanged values.

#include <map>

#include <boost/json/parse.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/engine/mode.hpp>

#include "branch/rpc_request.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

bool is_own(std::string_view name) {
  return name == "gid" || name == "trans_type" || name == "branch_id" || name == "op";
}

void check_params(JsonValue params, const BranchCall& call, std::string_view payload) {
  std::map<std::string_view, std::size_t> own;
  std::size_t others = 0;
  for (const JsonValue member : params) is_own(member.key()) ? ++own[member.key()] : ++others;
  require(own.size() == 4);
  for (const auto& [name, count] : own) require(count == 1);
  require(params.find("gid")->text() == call.gid->view());
  require(params.find("branch_id")->text() == call.branch_id);
  require(params.find("op")->text() == call.op);

  JsonTree given;
  if (!given.parse(payload)) return;  // a blank payload
  auto member = params.begin();
  for (const JsonValue wanted : given.root()) {
    if (is_own(wanted.key())) continue;
    while (member != params.end() && is_own((*member).key())) ++member;
    require(member != params.end() && (*member).key() == wanted.key());
    require((*member).kind() == wanted.kind());
    require((*member).inner_values() == wanted.inner_values());
    if (wanted.is(JsonKind::text)) require((*member).text() == wanted.text());
    if (wanted.kind() >= JsonKind::integer && wanted.kind() <= JsonKind::fraction) {
      require((*member).number_text() == wanted.number_text());
    }
    ++member;
    --others;
  }
  require(others == 0);
}

}  // namespace

void rpc_payloads(std::string_view input) {
  const Gid gid{"g\"1\\"};
  const std::map<std::string, std::string> no_headers;
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::saga;
  call.branch_id = "01";
  call.op = "action";
  call.url = take_line(input);
  call.payload = input;
  call.headers = &no_headers;
  const auto body = rpc_request_body(call, "id1");
  require(body.has_value() == check_rpc_payload(input).has_value());
  if (!body) return;

  boost::json::parse_options deeper;
  deeper.max_depth = json_depth_max + 2;
  error_code error;
  boost::json::parse({body->data(), body->size()}, error, {}, deeper);
  require(!error);
  JsonTree tree;
  if (!tree.parse(*body)) return;  // the payload was as deep as a text may be
  const auto params = tree.root().find("params");
  require(params && params->is(JsonKind::object));
  check_params(*params, call, input);
}

}  // namespace concerto::fuzz
