// Bodies of JSON-RPC requests. Every answer is JSON with the id of the request.

#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>

#include "api/rpc_action.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

void check_answer(const HttpResponse& answer, const RpcCall& call, bool is_error) {
  require(answer.status == 200 || answer.status == 400);
  require(is_utf8(answer.body));
  JsonTree tree;
  require(tree.parse(answer.body).has_value());
  const JsonValue root = tree.root();
  require(root.find("jsonrpc")->text() == "2.0");
  require(root.find("error")->is(is_error ? JsonKind::object : JsonKind::null));
  require(root.find("result").has_value());
  JsonTree id;
  require(id.parse(call.id).has_value());
  require(root.find("id")->kind() == id.root().kind());
  require(root.find("id")->number_text() == id.root().number_text() ||
          !id.root().is(JsonKind::fraction));
  if (id.root().is(JsonKind::text)) require(root.find("id")->text() == id.root().text());
}

}  // namespace

void json_rpc_bodies(std::string_view input) {
  const Gate gate;
  RequestContext context;
  const HttpHeaders headers;
  RpcCall call;
  const RpcAction action =
      rpc_action(input, RouteTable::standard(), {gate, context, headers}, call);
  if (const auto* const answer = std::get_if<HttpResponse>(&action)) {
    check_answer(*answer, call, true);
    return;
  }
  require(call.version == "2.0");
  check_answer(rpc_result(call, nullptr), call, false);
  check_answer(rpc_answer(call, make_error(Errc::invalid_request, std::string{input})), call, true);
  if (const auto* const trans = std::get_if<TransRequest>(&action)) {
    require(call.method == "submit" || call.method == "prepare" || call.method == "abort");
    require(is_utf8(trans->gid.view()));
  }
  if (const auto* const branch = std::get_if<BranchRequest>(&action)) {
    require(call.method == "registerBranch" && is_utf8(branch->gid.view()));
  }
}

}  // namespace concerto::fuzz
