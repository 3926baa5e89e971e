#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/protocol/answer_messages.hpp>
#include <concerto/protocol/request_messages.hpp>

namespace concerto::net {

/// The contents of a dtmgimp.DtmTopicRequest.
struct TopicRequest {
  std::string topic;
  std::string url;
  std::string remark;
};

/// Error invalid_request.
Result<TopicRequest> topic_request_from_proto(std::string_view message);

/// The bytes of a dtmgimp.DtmProgressesReply: a workflow with its branches. workflow_from_proto
/// reads them.
std::string progresses_reply(const Transaction& trans);

/// The bytes of a dtmgimp.DtmGidReply.
std::string gid_reply(const Gid& gid);

}  // namespace concerto::net
