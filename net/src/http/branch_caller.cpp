#include <array>
#include <charconv>

#include <concerto/net/branch_dispatcher.hpp>
#include <concerto/net/http_branch_caller.hpp>

#include "branch_result.hpp"
#include "branch_url.hpp"
#include "rpc_request.hpp"

namespace concerto::net {
namespace {

std::string random_id(RandomSource& random) {
  std::string id;
  for (int i = 0; i < 2; ++i) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), random.next(), 36).ptr;
    id.append(digits.begin(), end);
  }
  return id;
}

/// The fields of every call, then branch_headers; those replace ours.
HttpHeaders branch_headers(const BranchCall& call) {
  HttpHeaders headers;
  headers.reserve(2 + call.headers->size(), 128);
  headers.add("Accept", "application/json");
  headers.add("Content-Type", "application/json");
  for (const auto& [name, value] : *call.headers) headers.set(name, value);
  return headers;
}

BranchReply error_reply(Error error) {
  return {Outcome::error, std::move(error)};
}

}  // namespace

Task<BranchReply> HttpBranchCaller::call(BranchCall call) {
  const bool is_rpc = branch_transport(call.protocol, call.url) == BranchTransport::json_rpc;
  HttpClientRequest request;
  request.headers = branch_headers(call);
  std::string rpc_body;
  if (is_rpc) {
    auto body = rpc_request_body(call, random_id(random_));
    if (!body) co_return error_reply(std::move(body).error());
    rpc_body = std::move(*body);
    request.method = "POST";
    request.url = call.url;
    request.body = rpc_body;
  } else {
    const bool posts = !call.payload.empty() || call.type == TransType::xa;
    request.method = posts ? "POST" : "GET";
    request.url = branch_url(call);
    request.body = call.payload;
  }
  const auto answer = co_await client_.send(std::move(request), call.deadline);
  if (!answer) co_return error_reply(answer.error());
  if (is_rpc) co_return judge_rpc_answer(answer->status, answer->body);
  co_return judge_http_answer(answer->status, answer->body);
}

}  // namespace concerto::net
