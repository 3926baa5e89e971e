// The messages of the gRPC interface: transactions, branches, topics.

#include <concerto/base/utf8.hpp>

#include "api/grpc_messages.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

template <class Request>
bool is_refused(const Result<Request>& request) {
  if (request) return false;
  require(request.error().code == Errc::invalid_request && !request.error().detail.empty());
  return true;
}

}  // namespace

void grpc_requests(std::string_view input) {
  if (const auto trans = net::trans_request_from_proto(input); !is_refused(trans)) {
    require(is_utf8(trans->gid.view()) && trans->protocol == "grpc");
    for (const Step& step : trans->steps) {
      require(is_utf8(step.action) && is_utf8(step.compensate));
    }
  }
  if (const auto branch = net::branch_request_from_proto(input); !is_refused(branch)) {
    require(is_utf8(branch->gid.view()) && is_utf8(branch->branch_id));
  }
  if (const auto topic = net::topic_request_from_proto(input); !is_refused(topic)) {
    require(is_utf8(topic->topic) && is_utf8(topic->url) && is_utf8(topic->remark));
  }
}

}  // namespace concerto::fuzz
