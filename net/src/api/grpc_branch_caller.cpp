#include <workflow.pb.h>

#include <concerto/net/grpc_branch_caller.hpp>

#include "api/branch_metadata.hpp"

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
  CONCERTO_TRY(ServerMethod place, channels.split(call.url));
  CONCERTO_TRY(prepared.metadata, branch_metadata(call));
  CONCERTO_TRY(prepared.channel, channels.channel(place.target));
  prepared.method = std::move(place.method);
  return prepared;
}

/// As the reference reports it: a status without a code of its own.
BranchReply not_sent(const Error& error) {
  GrpcStatus status;
  status.code = GrpcCode::unknown;
  status.message = error.detail;
  BranchReply reply;
  reply.outcome = Outcome::error;
  reply.error = to_error(status, /*sent=*/false);
  return reply;
}

/// The payload as it is; only a workflow's application is sent a message of the protocol.
std::string message_of(const BranchCall& call) {
  if (call.type != TransType::workflow) return std::string{call.payload};
  workflow::WorkflowData data;
  data.set_data(call.payload.data(), call.payload.size());
  return data.SerializeAsString();
}

}  // namespace

Task<BranchReply> GrpcBranchCaller::call(BranchCall call) {
  BranchReply result;
  result.outcome = Outcome::success;
  if (call.url.empty()) co_return result;
  Result<Prepared> prepared = prepare(channels_, call);
  if (!prepared) {
    result = not_sent(prepared.error());
    co_return result;
  }
  std::string message = message_of(call);
  GrpcReply reply =
      co_await prepared->channel->unary(std::move(prepared->method), std::move(message),
                                        std::move(prepared->metadata), call.deadline);
  result = branch_reply(reply);
  co_return result;
}

}  // namespace concerto::net
