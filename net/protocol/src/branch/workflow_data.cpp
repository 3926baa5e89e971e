#include <limits>
#include <workflow.pb.h>

#include <concerto/protocol/branch_messages.hpp>

namespace concerto::net {

std::string workflow_data_message(std::string_view data) {
  workflow::WorkflowData message;
  message.set_data(data.data(), data.size());
  return message.SerializeAsString();
}

Result<std::string> workflow_data_from(std::string_view message) {
  workflow::WorkflowData from;
  if (message.size() > std::numeric_limits<int>::max() ||
      !from.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return make_error(Errc::invalid_request, "the message is not a workflow.WorkflowData");
  }
  return std::move(*from.mutable_data());
}

}  // namespace concerto::net
