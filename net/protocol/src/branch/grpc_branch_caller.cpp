#include <algorithm>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/protocol/grpc_branch_caller.hpp>
#include <concerto/transport/url.hpp>

#include "branch/branch_metadata.hpp"
#include "branch/branch_result.hpp"

namespace concerto::net {
namespace {

/// A call that is ready to be sent.
struct Prepared {
  GrpcChannel* channel = nullptr;
  std::string method;
  GrpcMetadata metadata;
};

Result<Prepared> prepare(TargetChannels& channels, const BranchCall& call) {
  Prepared prepared;
  CONCERTO_TRY(GrpcUrl parts, channels.split(call.url));
  CONCERTO_TRY(prepared.metadata, branch_metadata(call));
  CONCERTO_TRY(prepared.channel, channels.channel(parts.target));
  prepared.method = std::move(parts.method);
  return prepared;
}

/// The reply for a call that was not sent. As in the reference, its status is UNKNOWN.
BranchReply not_sent(const Error& error) {
  GrpcStatus status;
  status.code = GrpcCode::unknown;
  status.message = error.detail;
  BranchReply reply;
  reply.outcome = Outcome::error;
  reply.error = to_error(status, /*sent=*/false);
  return reply;
}

/// The payload as it is; only an application that is resumed is sent a message of the protocol,
/// whatever the mode: WorkflowData.
std::string message_of(const BranchCall& call) {
  if (!is_resumed(*call.mode)) return std::string{call.payload};
  return workflow_data_message(call.payload);
}

Task<BranchReply> answer(BranchReply reply) {
  co_return reply;
}

Task<BranchReply> answer(Task<GrpcReply> sent) {
  const GrpcReply reply = co_await std::move(sent);
  co_return branch_reply(reply);
}

}  // namespace

Result<unsigned> GrpcBranchCaller::way_of(Protocol /*protocol*/, std::string_view url) const {
  const PlainUrl seen = look_at_url(url);
  if (seen.is_plain && seen.has_port && seen.has_path) {
    const auto port = static_cast<std::uint16_t>(seen.port);
    CONCERTO_CHECK(channels_.check(TargetPlace{"grpc", url.substr(0, seen.host_bytes), port}));
    return 0U;
  }
  CONCERTO_TRY(const GrpcUrl parts, channels_.split(url));
  CONCERTO_TRY(const Target target, channels_.parse(parts.target));
  CONCERTO_CHECK(channels_.check(target));
  // The method is sent as `:path`.
  const auto is_printable = [](char c) { return c > 0x20 && c < 0x7F; };
  if (std::all_of(parts.method.begin(), parts.method.end(), is_printable)) return 0U;
  return make_error(Errc::invalid_request,
                    "bad url: '" + std::string(url) + "'. its method is not printable ASCII");
}

Result<> GrpcBranchCaller::can_carry(unsigned /*way*/, const BranchCall& call) const {
  return check_metadata(call);
}

// This is not a coroutine, so that the prepared parts do not stay in memory while the call waits.
Task<BranchReply> GrpcBranchCaller::call(BranchCall call) {
  if (call.url.empty()) return answer(BranchReply{Outcome::success, {}});
  Result<Prepared> prepared = prepare(channels_, call);
  if (!prepared) return answer(not_sent(prepared.error()));
  return answer(prepared->channel->unary(std::move(prepared->method), message_of(call),
                                         std::move(prepared->metadata), call.deadline,
                                         GrpcAnswer::status));
}

}  // namespace concerto::net
