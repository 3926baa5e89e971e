#include "load.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include <concerto/transport/http_tls.hpp>

#include "usage_probe.hpp"

namespace concerto::load {
namespace {

constexpr std::chrono::seconds close_limit{5};

std::string random_prefix(RandomSource& random) {
  char text[32];
  std::snprintf(text, sizeof text, "load-%08x", static_cast<unsigned>(random.next()));
  return text;
}

LoadOptions with_prefix(LoadOptions options, RandomSource&& random) {
  if (options.gid_prefix.empty()) options.gid_prefix = random_prefix(random);
  return options;
}

net::HttpClientOptions http_options(const LoadOptions& options) {
  net::HttpClientOptions http;
  http.connections_per_host_max = std::max(http.connections_per_host_max, options.in_flight);
  http.connections_max = std::max(http.connections_max, options.in_flight);
  return http;
}

/// The load's own branches expect no calls if the user named others.
CallLedger::Required calls_to_own_branches(const LoadOptions& options) {
  if (!options.branches.empty()) return {};
  return required_calls(options.mode, Bank::branch_count);
}

/// CPU time until now. Nothing if no process is given, or if it has ended.
std::optional<double> cpu_us(pid_t process) {
  if (process == 0) return std::nullopt;
  const Result<double> cpu = cpu_us_of_process(process);
  return cpu ? std::optional<double>(*cpu) : std::nullopt;
}

/// What the processes have used until now.
struct UsageNow {
  std::optional<double> client_cpu_us;
  std::optional<double> server_cpu_us;
  std::optional<std::uint64_t> device_bytes;
};

UsageNow usage_now(const LoadOptions& options) {
  UsageNow now;
  now.client_cpu_us = cpu_us(::getpid());
  now.server_cpu_us = cpu_us(options.server_process);
  if (!options.data_directory.empty()) {
    now.device_bytes = device_bytes_written(options.data_directory);
  }
  return now;
}

template <class Number>
std::optional<Number> difference(std::optional<Number> before, std::optional<Number> after) {
  if (!before || !after) return std::nullopt;
  return *after - *before;
}

Usage usage_since(const UsageNow& before, const LoadOptions& options) {
  const UsageNow after = usage_now(options);
  Usage usage;
  usage.client_cpu_us = difference(before.client_cpu_us, after.client_cpu_us).value_or(0);
  usage.server_cpu_us = difference(before.server_cpu_us, after.server_cpu_us);
  usage.device_bytes = difference(before.device_bytes, after.device_bytes);
  if (options.server_process != 0) {
    usage.server_resident_bytes = resident_bytes_of_process(options.server_process);
  }
  return usage;
}

}  // namespace

Load::Load(LoadOptions options)
    : options_(with_prefix(std::move(options), net::SystemRandom())),
      names_(resolver_, options_),
      http_(io_.get_executor(), timers_, names_, nullptr, net::HttpProxyRules{},
            http_options(options_)),
      ledger_(options_.gid_prefix, calls_to_own_branches(options_), options_.purposes),
      progress_(options_) {}

Result<Report> Load::run() {
  if (options_.server_process != 0) CONCERTO_CHECK(cpu_us_of_process(options_.server_process));
  if (const Access& access = options_.access; access.uses_tls) {
    CONCERTO_TRY(tls_, net::make_tls_client_context({access.ca, access.certificate, access.key}));
    http_.set_tls(tls_);
  }
  if (options_.branches.empty()) CONCERTO_CHECK(serve_branches());
  wait_for_signal();
  Result<> outcome;
  TaskGroup tasks(io_.get_executor());
  tasks.spawn(run_all(outcome));
  while (tasks.size() > 0) io_.run_one();
  if (!outcome) return outcome.error();
  report_.options = options_;
  return std::move(report_);
}

Result<> Load::serve_branches() {
  Bank::Shape shape{options_.payload.size(), options_.branch_delay};
  if (!options_.branch_certificate.empty()) {
    CONCERTO_TRY(shape.tls,
                 net::make_tls_server_context({options_.branch_certificate, options_.branch_key}));
  }
  bank_.emplace(io_.get_executor(), timers_, ledger_, std::move(shape));
  return bank_->start(options_.listen);
}

Task<void> Load::run_all(Result<>& outcome) {
  outcome = co_await connect();
  if (outcome) {
    co_await measure();
    co_await check();
    progress_.end();
  }
  co_await close();
}

Async<> Load::connect() {
  scenario_ = make_scenario(options_, bank_ ? bank_->branches(options_.wire) : options_.branches,
                            bank_ ? bank_->query_prepared(options_.wire) : std::string());
  if (options_.wire == Wire::http) {
    client_ = std::make_unique<HttpCoordinatorClient>(http_, timers_, options_, scenario_);
  } else {
    auto hosts = co_await resolver_.resolve(options_.grpc.host);
    if (!hosts) co_return hosts.error();
    std::vector<net::Address> addresses;
    for (const auto& host : *hosts) addresses.emplace_back(host, options_.grpc.port);
    client_ = std::make_unique<GrpcCoordinatorClient>(
        io_.get_executor(), timers_, random_, std::move(addresses), options_, tls_, scenario_);
  }
  runner_.emplace(io_.get_executor(), timers_, options_, scenario_, *client_, ledger_,
                  report_.tally, report_.findings);
  if (report_.interrupted) runner_->stop();
  co_return ok();
}

Task<void> Load::measure() {
  progress_.show_warm_up();
  const Runner::Period warm_up{options_.warm_up_seconds, 0};
  if (options_.warm_up_seconds > 0) co_await runner_->offer(warm_up);
  const UsageNow before = usage_now(options_);
  report_.tally.start(timers_.now());
  TaskGroup ticking(io_.get_executor());
  ticking.spawn(close_seconds());
  const Runner::Period measured{options_.seconds, options_.transactions};
  co_await runner_->offer(measured);
  report_.tally.stop(timers_.now());
  report_.usage = usage_since(before, options_);
  co_await ticking.close();
}

Task<void> Load::close_seconds() {
  SteadyTime next = timers_.now();
  for (;;) {
    next += std::chrono::seconds(1);
    const bool slept = co_await sleep_until(timers_, next);
    if (!slept) co_return;
    report_.tally.close_second(timers_.now());
    progress_.show(report_.tally);
  }
}

Task<void> Load::check() {
  checker_.emplace(io_.get_executor(), timers_, http_, options_, scenario_, ledger_,
                   report_.findings);
  TaskGroup ticking(io_.get_executor());
  ticking.spawn(show_checks());
  co_await checker_->run();
  co_await ticking.close();
  count_acknowledged();
  report_.queried = checker_->queried();
  report_.drain_seconds = checker_->drain_seconds();
  report_.branch_calls = ledger_.calls();
  report_.repeated_calls = ledger_.repeated_calls();
}

void Load::count_acknowledged() {
  report_.acknowledged = ledger_.acknowledged_count();
  for (std::uint64_t number = 0; number < ledger_.begun(); ++number) {
    if (!ledger_.acknowledged(number)) continue;
    if (options_.purposes.fails(number)) ++report_.failed_on_purpose;
    if (options_.purposes.errs(number)) ++report_.errors_on_purpose;
  }
}

Task<void> Load::show_checks() {
  for (;;) {
    const bool slept = co_await sleep_until(timers_, timers_.now() + std::chrono::seconds(1));
    if (!slept) co_return;
    progress_.show_checks(checker_->queried(), checker_->to_query());
  }
}

Task<void> Load::close() {
  signals_.cancel();
  if (client_) client_->close();
  co_await http_.close();
  if (bank_) co_await bank_->stop(timers_.now() + close_limit);
}

void Load::wait_for_signal() {
  signals_.async_wait([this](const error_code& cancelled, int) {
    if (cancelled) return;
    signals_.clear();  // a second signal ends the process
    report_.interrupted = true;
    if (runner_) runner_->stop();
  });
}

}  // namespace concerto::load
