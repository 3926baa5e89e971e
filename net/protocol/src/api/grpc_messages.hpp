#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::net {

/// A transaction from the bytes of a dtmgimp.DtmRequest (protocol page 03, section 3). Its
/// protocol is grpc, its gid taken as it is. Error invalid_request.
Result<TransRequest> trans_request_from_proto(std::string_view message);

/// A branch from the bytes of a dtmgimp.DtmBranchRequest. Error invalid_request.
Result<BranchRequest> branch_request_from_proto(std::string_view message);

/// What a dtmgimp.DtmTopicRequest names.
struct TopicRequest {
  std::string topic;
  std::string url;
  std::string remark;
};

/// Error invalid_request.
Result<TopicRequest> topic_request_from_proto(std::string_view message);

/// The bytes of a dtmgimp.DtmProgressesReply: a workflow with its branches.
std::string progresses_reply(const Transaction& trans);

/// The bytes of a dtmgimp.DtmGidReply.
std::string gid_reply(const Gid& gid);

}  // namespace concerto::net
