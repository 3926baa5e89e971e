// The calls that an application makes to branches itself (protocol page 08, section 1.3).

#include <utility>

#include <concerto/protocol/branch_answers.hpp>
#include <concerto/transport/percent.hpp>

#include "client_errors.hpp"
#include "core.hpp"

namespace concerto::client::detail {
namespace {

/// The URL without its fragment, and with the parameters of the call after its own query.
std::string url_of(const OwnCall& call, std::string_view coordinator) {
  std::string out = call.url.substr(0, call.url.find('#'));
  const bool has_query = out.find('?') != std::string::npos;
  if (!has_query) out += '?';
  if (has_query && !out.ends_with('?')) out += '&';
  net::append_query_escaped(out.append("branch_id="), call.branch_id);
  if (!call.is_step) net::append_query_escaped(out.append("&dtm="), coordinator);
  net::append_query_escaped(out.append("&gid="), call.gid);
  net::append_query_escaped(out.append("&op="), call.op);
  if (!call.phase2_url.empty()) {
    net::append_query_escaped(out.append("&phase2_url="), call.phase2_url);
  }
  net::append_query_escaped(out.append("&trans_type="), call.trans_type);
  return out;
}

std::string to_lower(std::string text) {
  for (char& character : text) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return text;
}

Result<> check(const std::map<std::string, std::string>& headers) {
  for (const auto& [name, value] : headers) {
    if (net::is_legal_header_name(name) && net::is_legal_header_value(value)) continue;
    return make_error(ClientErrc::not_sendable, "branch header '" + name + "' cannot be sent");
  }
  return ok();
}

bool is_http(std::string_view url) noexcept {
  return url.starts_with("http://") || url.starts_with("https://");
}

/// A result of a step may have the words FAILURE and ONGOING in it.
BranchReply judge(const OwnCall& call, unsigned status, std::string_view body) {
  return net::judge_http_answer(status, call.is_step && status == 200 ? std::string_view{} : body);
}

CallEnd ended(Error error) {
  CallEnd end;
  end.result = std::move(error);
  return end;
}

}  // namespace

Async<std::string> Core::call_branch(OwnCall call) {
  CallEnd end = co_await this->call(std::move(call));
  co_return std::move(end.result);
}

Task<CallEnd> Core::call(OwnCall call) {
  if (call.url.empty()) co_return CallEnd{};
  if (const auto checked = check(call.headers); !checked) co_return ended(checked.error());
  const bool over_grpc = call.is_step ? !is_http(call.url) : wire_ == Wire::grpc;
  if (!over_grpc) co_return co_await call_over_http(std::move(call));
  co_return co_await call_over_grpc(std::move(call));
}

Task<CallEnd> Core::call_over_http(OwnCall call) {
  const Running running{*this};
  net::HttpClientRequest request;
  request.method = call.reads ? "GET" : "POST";
  request.url = url_of(call, coordinator_);
  if (!call.reads) request.headers.add("Content-Type", "application/json");
  for (const auto& [name, value] : call.headers) request.headers.set(name, value);
  request.body = call.payload;
  auto answer = co_await http_.send(std::move(request), deadline(call.request_timeout));
  if (!answer) co_return ended(error_of(answer.error()));
  const BranchReply reply = judge(call, answer->status, answer->body);
  CallEnd end;
  if (reply.outcome == Outcome::success) {
    end.result = std::move(answer->body);
  } else {
    end.result = error_of(reply, answer->body);
    end.answer = std::move(answer->body);
  }
  co_return end;
}

Task<CallEnd> Core::call_over_grpc(OwnCall call) {
  const Running running{*this};
  auto url = branch_channels_.split(call.url);
  if (!url) co_return ended(error_of(url.error()));
  const auto channel = branch_channels_.channel(url->target);
  if (!channel) co_return ended(error_of(channel.error()));
  net::GrpcMetadata metadata;
  metadata.add("dtm-gid", call.gid);
  metadata.add("dtm-trans_type", call.trans_type);
  metadata.add("dtm-branch_id", call.branch_id);
  metadata.add("dtm-op", call.op);
  metadata.add("dtm-dtm", coordinator_);
  if (!call.phase2_url.empty()) metadata.add("dtm-phase2_url", call.phase2_url);
  for (const auto& [name, value] : call.headers) metadata.add(to_lower(name), value);
  net::GrpcReply reply =
      co_await (*channel)->unary(std::move(url->method), std::move(call.payload),
                                 std::move(metadata), deadline(call.request_timeout));
  const BranchReply judged = net::branch_reply(reply);
  CallEnd end;
  if (judged.outcome == Outcome::success) {
    end.result = std::move(reply.message);
  } else {
    end.result = error_of(judged, reply.status.message);
    end.answer = to_error(reply).detail;
  }
  co_return end;
}

}  // namespace concerto::client::detail
