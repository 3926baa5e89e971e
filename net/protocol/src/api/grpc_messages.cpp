#include "api/grpc_messages.hpp"

#include <dtmgimp.pb.h>
#include <limits>

#include <google/protobuf/arena.h>

#include <concerto/base/utf8.hpp>

#include "api/json_read.hpp"
#include "api/proto_fields.hpp"
#include "api/request_json.hpp"

namespace concerto::net {
namespace {

Result<std::vector<Step>> read_steps(std::string_view text) {
  if (text.empty()) return std::vector<Step>{};
  JsonText json;
  CONCERTO_CHECK(json.parse(text, "field 'Steps'"));
  StepList list;
  if (!json.root().is(JsonKind::null)) CONCERTO_CHECK(read_json("Steps", json.root(), list));
  return std::move(list.steps);
}

Result<> parse(std::string_view bytes, google::protobuf::Message& message,
               std::string_view what = "the request") {
  if (bytes.size() <= std::numeric_limits<int>::max() &&
      message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return ok();
  }
  return make_error(Errc::invalid_request, std::string{what} + " is not a " +
                                               message.GetTypeName() +
                                               ": malformed protobuf, or a text that is not "
                                               "UTF-8, in " +
                                               std::to_string(bytes.size()) + " bytes");
}

TransOptions take_options(dtmgimp::DtmTransOptions& from) {
  TransOptions options;
  options.wait_result = from.waitresult();
  options.timeout_to_fail = std::chrono::seconds{from.timeouttofail()};
  options.request_timeout = std::chrono::seconds{from.requesttimeout()};
  options.retry_interval = std::chrono::seconds{from.retryinterval()};
  options.retry_limit = from.retrylimit();
  for (const auto& [name, value] : from.branchheaders()) options.branch_headers[name] = value;
  return options;
}

std::string message_of(const TransOptions& options) {
  std::string out;
  ProtoFields fields(out);
  fields.number(1, options.wait_result ? 1 : 0);
  fields.number(2, options.timeout_to_fail.count());
  fields.number(3, options.retry_interval.count());
  fields.texts(5, options.branch_headers);
  fields.number(6, options.request_timeout.count());
  fields.number(7, options.retry_limit);
  return out;
}

Error unknown_status(const std::string& name) {
  return make_error(Errc::invalid_request, "there is no status '" + name + "'");
}

}  // namespace

// The numbers of the fields are those of net/protocol/proto/dtmgimp.proto.

std::string proto_of(const TransRequest& request) {
  const std::size_t bytes = bytes_of(request);
  std::string steps;
  if (!request.steps.empty()) {
    steps.reserve(bytes);
    append_steps(steps, request.steps);
  }
  std::string out;
  out.reserve(bytes);
  ProtoFields fields(out);
  fields.bytes(1, request.gid.str());
  fields.bytes(2, request.trans_type);
  if (request.options != TransOptions{}) fields.set_bytes(3, message_of(request.options));
  fields.bytes(4, request.custom_data);
  for (const std::string& payload : request.payloads) fields.set_bytes(5, payload);
  fields.bytes(6, request.query_prepared);
  fields.bytes(7, steps);
  fields.texts(8, request.extra);
  fields.bytes(9, request.rollback_reason);
  return out;
}

Result<TransRequest> trans_request_from_proto(std::string_view message) {
  // One block on the stack holds what the message allocates besides its texts. The texts are moved
  // into the result.
  char first_block[1024];
  google::protobuf::ArenaOptions arena_options;
  arena_options.initial_block = first_block;
  arena_options.initial_block_size = sizeof first_block;
  google::protobuf::Arena arena{arena_options};
  auto& from = *google::protobuf::Arena::CreateMessage<dtmgimp::DtmRequest>(&arena);
  CONCERTO_CHECK(parse(message, from));
  TransRequest request;
  request.from_wire = true;
  CONCERTO_TRY(request.steps, read_steps(from.steps()));
  request.gid = Gid{std::move(*from.mutable_gid())};
  request.trans_type = std::move(*from.mutable_transtype());
  request.protocol = to_string(Protocol::grpc);
  request.custom_data = std::move(*from.mutable_customeddata());
  request.query_prepared = std::move(*from.mutable_queryprepared());
  request.rollback_reason = std::move(*from.mutable_rollbackreason());
  request.payloads.reserve(static_cast<std::size_t>(from.binpayloads_size()));
  for (std::string& payload : *from.mutable_binpayloads()) {
    request.payloads.push_back(std::move(payload));
  }
  for (auto& [name, value] : *from.mutable_reqextra()) request.extra[name] = std::move(value);
  if (from.has_transoptions()) request.options = take_options(*from.mutable_transoptions());
  return request;
}

std::string proto_of(const BranchRequest& request) {
  std::string out;
  ProtoFields fields(out);
  fields.bytes(1, request.gid.str());
  fields.bytes(2, request.trans_type);
  fields.bytes(3, request.branch_id);
  fields.texts(5, request.fields);
  fields.bytes(6, request.payload);
  return out;
}

Result<BranchRequest> branch_request_from_proto(std::string_view message) {
  dtmgimp::DtmBranchRequest from;
  CONCERTO_CHECK(parse(message, from));
  BranchRequest request;
  request.from_wire = true;
  request.gid = Gid{std::move(*from.mutable_gid())};
  request.trans_type = std::move(*from.mutable_transtype());
  request.branch_id = std::move(*from.mutable_branchid());
  request.payload = std::move(*from.mutable_busipayload());
  for (auto& [name, value] : *from.mutable_data()) request.fields[name] = std::move(value);
  return request;
}

Result<TopicRequest> topic_request_from_proto(std::string_view message) {
  dtmgimp::DtmTopicRequest from;
  CONCERTO_CHECK(parse(message, from));
  TopicRequest request;
  request.topic = std::move(*from.mutable_topic());
  request.url = std::move(*from.mutable_url());
  request.remark = std::move(*from.mutable_remark());
  return request;
}

std::string progresses_reply(const Transaction& trans) {
  dtmgimp::DtmProgressesReply reply;
  auto& workflow = *reply.mutable_transaction();
  workflow.set_gid(trans.gid.str());
  workflow.set_status(std::string{to_string(trans.status)});
  workflow.set_rollbackreason(to_utf8(trans.rollback_reason));
  workflow.set_result(to_utf8(trans.result));
  for (const Branch& branch : trans.branches) {
    auto& progress = *reply.add_progresses();
    progress.set_status(std::string{to_string(branch.status)});
    progress.set_bindata(trans.payloads[branch.payload]);
    progress.set_branchid(branch.branch_id.str());
    progress.set_op(branch.op);
  }
  return reply.SerializeAsString();
}

Result<Transaction> workflow_from_proto(std::string_view message) {
  dtmgimp::DtmProgressesReply from;
  CONCERTO_CHECK(parse(message, from, "the answer"));
  auto& workflow = *from.mutable_transaction();
  const auto status = trans_status_from(workflow.status());
  if (!status) return unknown_status(workflow.status());
  Transaction trans;
  trans.type = TransType::workflow;
  trans.protocol = Protocol::grpc;
  trans.gid = Gid{std::move(*workflow.mutable_gid())};
  trans.status = *status;
  trans.rollback_reason = std::move(*workflow.mutable_rollbackreason());
  trans.result = std::move(*workflow.mutable_result());
  for (auto& progress : *from.mutable_progresses()) {
    const auto branch_status = branch_status_from(progress.status());
    if (!branch_status) return unknown_status(progress.status());
    std::string& payload = *progress.mutable_bindata();
    if (trans.payloads.empty() || trans.payloads.back() != payload) {
      trans.payloads.push_back(std::move(payload));
    }
    Branch& branch = trans.branches.emplace_back();
    branch.status = *branch_status;
    branch.payload = static_cast<std::uint32_t>(trans.payloads.size() - 1);
    branch.branch_id = BranchId{std::move(*progress.mutable_branchid())};
    branch.op = std::move(*progress.mutable_op());
  }
  return trans;
}

std::string gid_reply(const Gid& gid) {
  dtmgimp::DtmGidReply reply;
  reply.set_gid(gid.str());
  return reply.SerializeAsString();
}

}  // namespace concerto::net
