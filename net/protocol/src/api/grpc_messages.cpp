#include "api/grpc_messages.hpp"

#include <dtmgimp.pb.h>
#include <limits>

#include <google/protobuf/arena.h>

#include <concerto/base/utf8.hpp>

#include "api/json_read.hpp"
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

void write(const TransOptions& options, dtmgimp::DtmTransOptions& to) {
  to.set_waitresult(options.wait_result);
  to.set_timeouttofail(options.timeout_to_fail.count());
  to.set_requesttimeout(options.request_timeout.count());
  to.set_retryinterval(options.retry_interval.count());
  to.set_retrylimit(options.retry_limit);
  to.mutable_branchheaders()->insert(options.branch_headers.begin(), options.branch_headers.end());
}

Error unknown_status(const std::string& name) {
  return make_error(Errc::invalid_request, "there is no status '" + name + "'");
}

}  // namespace

std::string proto_of(const TransRequest& request) {
  dtmgimp::DtmRequest out;
  out.set_gid(request.gid.str());
  out.set_transtype(request.trans_type);
  out.set_customeddata(request.custom_data);
  for (const std::string& payload : request.payloads) out.add_binpayloads(payload);
  out.set_queryprepared(request.query_prepared);
  if (!request.steps.empty()) out.set_steps(steps_text(request.steps));
  out.mutable_reqextra()->insert(request.extra.begin(), request.extra.end());
  out.set_rollbackreason(request.rollback_reason);
  if (request.options != TransOptions{}) write(request.options, *out.mutable_transoptions());
  return out.SerializeAsString();
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
  dtmgimp::DtmBranchRequest out;
  out.set_gid(request.gid.str());
  out.set_transtype(request.trans_type);
  out.set_branchid(request.branch_id);
  out.set_busipayload(request.payload);
  out.mutable_data()->insert(request.fields.begin(), request.fields.end());
  return out.SerializeAsString();
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
