#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/base/base64.hpp>
#include <concerto/base/branch_condition.hpp>
#include <concerto/client/workflows.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/transport/percent.hpp>

#include "workflow_run.hpp"

namespace concerto::client {
namespace {

namespace json = boost::json;

/// What the coordinator hands back when it has the workflow resumed.
std::string custom_data(const std::string& name, const std::string& data) {
  json::object custom;
  custom["data"] = nullptr;
  if (!data.empty()) custom["data"] = base64_encode(data);
  custom["name"] = name;
  return json::serialize(custom);
}

Result<std::string> result_of(const Transaction& ended) {
  if (ended.status == TransStatus::failed) {
    return failure(with_failure_suffix(ended.rollback_reason));
  }
  auto result = base64_decode(ended.result);
  if (!result) return make_error(ClientErrc::refused, "the workflow's result is not base64");
  return std::move(*result);
}

Outcome outcome_of(const Result<std::string>& result) {
  if (result) return Outcome::success;
  if (result.error().code == BranchCondition::failure) return Outcome::failure;
  if (result.error().code == BranchCondition::ongoing) return Outcome::ongoing;
  return Outcome::error;
}

std::string text_of(const Result<std::string>& result) {
  return result ? std::string{} : result.error().detail;
}

/// Takes a gid out of a set at the end of the scope.
class Leaving {
 public:
  Leaving(std::set<std::string>& gids, const std::string& gid) : gids_(gids), gid_(gid) {}
  ~Leaving() { gids_.erase(gid_); }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

 private:
  std::set<std::string>& gids_;
  const std::string gid_;
};

}  // namespace

Workflows::Workflows(detail::Core& core, std::string callback)
    : core_(core), callback_(std::move(callback)) {}

Workflows& Workflows::add(std::string name, Handler handler, WorkflowOptions options) {
  Known known;
  known.handler = std::move(handler);
  known.options = std::move(options);
  const bool is_new = known_.emplace(std::move(name), std::move(known)).second;
  CONCERTO_ASSERT(is_new && "each workflow of a Workflows has a name of its own");
  return *this;
}

Async<std::string> Workflows::execute(std::string name, std::string gid, std::string data) {
  if (!running_.insert(gid).second) {
    co_return make_error(ClientErrc::ongoing, "workflow '" + gid + "' is being executed: ONGOING");
  }
  const Leaving leaving{running_, gid};
  co_return co_await run(std::move(name), std::move(gid), std::move(data));
}

Async<std::string> Workflows::run(std::string name, std::string gid, std::string data) {
  const auto known = known_.find(name);
  if (known == known_.end()) {
    co_return make_error(ClientErrc::not_sendable,
                         "workflow '" + name + "' is not known; add it at the start");
  }
  TransRequest request;
  request.gid = Gid{std::move(gid)};
  request.trans_type = "workflow";
  request.query_prepared = callback_;
  request.custom_data = custom_data(name, data);
  request.options = known->second.options.trans;
  detail::WorkflowRun run{core_, std::move(name), std::move(request),
                          known->second.options.rolls_back_failed};
  CONCERTO_CO_TRY(const Transaction prepared, co_await run.prepare());
  if (is_final(prepared.status)) co_return result_of(prepared);
  run.take(prepared);
  Workflow workflow{run};
  Result<std::string> result = co_await known->second.handler(workflow, std::move(data));
  CONCERTO_CO_CHECK(run.check());
  if (!result) {
    if (result.error().code != BranchCondition::failure) co_return result;
    result = failure(with_failure_suffix(result.error().detail));
  }
  CONCERTO_CO_CHECK(co_await run.end(result.has_value()));
  CONCERTO_CO_CHECK(co_await run.submit(result));
  co_return result;
}

Async<> Workflows::resume(std::string query, std::string body) {
  std::string_view pairs = query;
  pairs = pairs.substr(0, pairs.find('#'));
  pairs.remove_prefix(pairs.find('?') + 1);
  net::HttpRequest request;
  request.query = net::decode_query(pairs);
  net::ReceivedCall call = net::received_call(request);
  const auto result = co_await execute(std::move(call.op), std::move(call.gid), std::move(body));
  if (!result) co_return result.error();
  co_return ok();
}

Task<net::HttpResponse> Workflows::serve(net::HttpRequest request) {
  net::ReceivedCall call = net::received_call(request);
  const auto result =
      co_await execute(std::move(call.op), std::move(call.gid), std::move(request.body));
  const std::string text = text_of(result);
  co_return net::http_branch_answer(outcome_of(result), text);
}

Task<net::GrpcReply> Workflows::serve(net::GrpcRequest request) {
  net::ReceivedCall call = net::received_call(request.metadata);
  auto data = net::workflow_data_from(request.message);
  if (!data) co_return net::grpc_branch_answer(Outcome::error, data.error().detail);
  const auto result = co_await execute(std::move(call.op), std::move(call.gid), std::move(*data));
  const std::string text = text_of(result);
  co_return net::grpc_branch_answer(outcome_of(result), text);
}

}  // namespace concerto::client
