#include "load.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "usage_probe.hpp"

namespace concerto::bench {
namespace {

namespace json = boost::json;
using Microseconds = std::chrono::duration<double, std::micro>;

SteadyTime::duration duration_of(double seconds) {
  return std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
}

Error unexpected(std::string detail) {
  return make_error(Errc::branch_error, std::move(detail));
}

/// Whether the answer of `query` shows a saga that succeeded with both of its actions.
bool shows_success(const std::string& text) {
  error_code failed;
  const json::value answer = json::parse(text, failed);
  if (failed || !answer.is_object()) return false;
  const json::value* status = answer.find_pointer("/transaction/status", failed);
  const json::value* branches = answer.find_pointer("/branches", failed);
  if (status == nullptr || *status != "succeed") return false;
  if (branches == nullptr || !branches->is_array()) return false;
  std::size_t actions = 0;
  for (const json::value& branch : branches->get_array()) {
    const json::value* op = branch.find_pointer("/op", failed);
    const json::value* done = branch.find_pointer("/status", failed);
    if (op == nullptr || done == nullptr) return false;
    if (*op == "action" && *done == "succeed") ++actions;
  }
  return actions == 2;
}

}  // namespace

Load::Load(LoadOptions options)
    : options_(std::move(options)),
      http_(io_.get_executor(), timers_, resolver_, nullptr, net::HttpProxyRules{}),
      ledger_(options_.gid_prefix),
      bank_(io_.get_executor(), timers_, ledger_, options_.payload_bytes) {}

Result<LoadReport> Load::run() {
  CONCERTO_CHECK(bank_.start());
  if (options_.wire == Wire::grpc) {
    client_ = std::make_unique<GrpcCoordinatorClient>(io_.get_executor(), timers_, random_,
                                                      options_.grpc_port, shape());
  } else {
    client_ = std::make_unique<HttpCoordinatorClient>(http_, timers_, options_.http_port, shape());
  }
  LoadReport report;
  TaskGroup tasks(io_.get_executor());
  tasks.spawn(run_all(report));
  while (tasks.size() > 0) io_.run_one();
  if (failure_.code) return failure_;
  return report;
}

Task<void> Load::run_all(LoadReport& report) {
  const Result<> measured = co_await measure(report);
  if (!measured) fail(measured.error());
  const Result<> checked = co_await check_sample(report);
  if (!checked) fail(checked.error());
  client_->close();
  co_await http_.close();
  co_await bank_.stop(timers_.now() + std::chrono::seconds(5));
}

Async<> Load::measure(LoadReport& report) {
  co_await offer(options_.warm_up_seconds, nullptr);
  report.warm_up_transactions = acknowledged_.size();
  CONCERTO_CO_TRY(const double server, cpu_us_of_process(options_.server_process));
  CONCERTO_CO_TRY(const double client, cpu_us_of_process(::getpid()));
  const auto device = device_bytes_written(options_.data_directory);
  const SteadyTime begin = timers_.now();
  co_await offer(options_.seconds, &report.latencies_us);
  report.seconds = std::chrono::duration<double>(timers_.now() - begin).count();
  const auto device_after = device_bytes_written(options_.data_directory);
  CONCERTO_CO_TRY(const double client_after, cpu_us_of_process(::getpid()));
  CONCERTO_CO_TRY(const double server_after, cpu_us_of_process(options_.server_process));
  report.client_cpu_us = client_after - client;
  report.server_cpu_us = server_after - server;
  if (device && device_after) report.device_bytes = *device_after - *device;
  std::sort(report.latencies_us.begin(), report.latencies_us.end());
  co_return ok();
}

Task<void> Load::offer(double seconds, std::vector<double>* latencies_us) {
  const SteadyTime until = timers_.now() + duration_of(seconds);
  return options_.rate > 0 ? keep_rate(until, latencies_us) : keep_in_flight(until, latencies_us);
}

Task<void> Load::keep_rate(SteadyTime until, std::vector<double>* latencies_us) {
  const SteadyTime::duration pause = duration_of(1 / options_.rate);
  TaskGroup callers(io_.get_executor());
  for (SteadyTime next = timers_.now(); next < until && !failure_.code; next += pause) {
    if (next > timers_.now()) co_await sleep_until(timers_, next);
    callers.spawn(submit_one(next, latencies_us));
  }
  co_await callers.join();
}

Task<void> Load::keep_in_flight(SteadyTime until, std::vector<double>* latencies_us) {
  TaskGroup callers(io_.get_executor());
  for (std::size_t i = 0; i < options_.in_flight; ++i) {
    callers.spawn(submit_in_turn(until, latencies_us));
  }
  co_await callers.join();
}

Task<void> Load::submit_in_turn(SteadyTime until, std::vector<double>* latencies_us) {
  for (SteadyTime now = timers_.now(); now < until && !failure_.code; now = timers_.now()) {
    co_await submit_one(now, latencies_us);
  }
}

/// `begin`: when it was to begin. Being late counts.
Task<void> Load::submit_one(SteadyTime begin, std::vector<double>* latencies_us) {
  std::string gid = ledger_.begin();
  const Result<> submitted = co_await client_->submit(gid);
  if (!submitted) {
    fail(unexpected("saga " + gid + ": " + submitted.error().detail));
    co_return;
  }
  if (!ledger_.both_called(gid)) fail(unexpected("saga " + gid + " left a branch out"));
  if (latencies_us != nullptr) {
    latencies_us->push_back(Microseconds(timers_.now() - begin).count());
  }
  acknowledged_.push_back(std::move(gid));
}

Async<> Load::check_sample(LoadReport& report) {
  const std::size_t count = std::min(options_.samples_max, acknowledged_.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::string gid = acknowledged_[i * acknowledged_.size() / count];
    CONCERTO_CO_CHECK(co_await check_stored(std::move(gid)));
    ++report.queried;
  }
  co_return ok();
}

Async<> Load::check_stored(std::string gid) {
  net::HttpClientRequest request;
  request.url =
      "http://127.0.0.1:" + std::to_string(options_.http_port) + "/api/dtmsvr/query?gid=" + gid;
  const auto answer = co_await http_.send(std::move(request), timers_.now() + request_limit);
  if (!answer) co_return answer.error();
  if (!shows_success(answer->body)) {
    co_return unexpected("saga " + gid + " is stored as " + answer->body);
  }
  co_return ok();
}

SagaShape Load::shape() const {
  json::array steps;
  for (const char* method : {"TransOut", "TransIn"}) {
    json::object step;
    step["action"] = bank_.url(options_.wire, method);
    step["compensate"] = bank_.url(options_.wire, std::string(method) + "Revert");
    steps.push_back(std::move(step));
  }
  SagaShape shape;
  shape.steps_json = json::serialize(steps);
  shape.payload = std::string(options_.payload_bytes, 'p');
  return shape;
}

void Load::fail(Error error) {
  if (!failure_.code) failure_ = std::move(error);
}

}  // namespace concerto::bench
