#include <concerto/base/branch_condition.hpp>
#include <concerto/client/msg.hpp>

#include "core.hpp"

namespace concerto::client {
namespace {

/// The branch id and the op of the call that asks whether the work was done.
constexpr const char* query_branch_id = "00";
constexpr const char* query_op = "msg";

detail::OwnCall query_call(const TransRequest& request) {
  detail::OwnCall call;
  call.gid = request.gid.str();
  call.trans_type = request.trans_type;
  call.branch_id = query_branch_id;
  call.op = query_op;
  call.url = request.query_prepared;
  call.headers = request.options.branch_headers;
  call.request_timeout = request.options.request_timeout;
  call.reads = true;
  return call;
}

/// The submit is the same request as the prepare, with `delay` in addition.
Async<> submit(detail::Core& core, TransRequest& request, std::string delay) {
  request.custom_data = std::move(delay);
  return core.send("submit", request);
}

Async<> prepare_and_submit(detail::Core& core, TransRequest request, std::string delay,
                           Msg::Work work) {
  CONCERTO_CO_CHECK(co_await core.send("prepare", request));
  const Result<> done = co_await work();
  if (done) co_return co_await submit(core, request, std::move(delay));
  Result<> asked = done;
  if (done.error().code != BranchCondition::failure) {
    const auto answer = co_await core.call_branch(query_call(request));
    asked = answer ? Result<>{} : Result<>{answer.error()};
  }
  if (asked) {
    ignore_error(co_await submit(core, request, std::move(delay)), "the work's error says more");
  } else if (asked.error().code == BranchCondition::failure) {
    ignore_error(co_await core.send("abort", request),
                 "the coordinator asks query_prepared, which says so too");
  }
  co_return done;
}

}  // namespace

Msg::Msg(detail::Core& core, std::string gid) : core_(core) {
  request_.gid = Gid{std::move(gid)};
  request_.trans_type = "msg";
}

Msg& Msg::add(std::string action, std::string payload) {
  request_.steps.push_back({std::move(action), {}});
  request_.payloads.push_back(std::move(payload));
  return *this;
}

Msg& Msg::add_topic(const std::string& topic, std::string payload) {
  return add("topic://" + topic, std::move(payload));
}

Msg& Msg::delay(std::chrono::seconds delay) {
  delay_ = delay;
  return *this;
}

Async<> Msg::prepare(std::string query_prepared) const {
  return core_.send("prepare", prepared_request(std::move(query_prepared)));
}

Async<> Msg::submit() const {
  TransRequest request = request_;
  request.options = options;
  request.custom_data = delay_data();
  return core_.send("submit", request);
}

Async<> Msg::do_work(std::string query_prepared, Work work) const {
  return prepare_and_submit(core_, prepared_request(std::move(query_prepared)), delay_data(),
                            std::move(work));
}

TransRequest Msg::prepared_request(std::string query_prepared) const {
  TransRequest request = request_;
  request.options = options;
  request.query_prepared = std::move(query_prepared);
  return request;
}

std::string Msg::delay_data() const {
  if (delay_.count() <= 0) return {};
  return R"({"delay":)" + std::to_string(delay_.count()) + "}";
}

}  // namespace concerto::client
