#pragma once

#include <csignal>
#include <memory>
#include <optional>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/system.hpp>

#include "bank.hpp"
#include "call_ledger.hpp"
#include "certified_name.hpp"
#include "checker.hpp"
#include "coordinator_client.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "runner.hpp"

namespace concerto::load {

/// A whole load on the calling thread: branches, warm-up, measured time, checks.
class Load {
 public:
  explicit Load(LoadOptions options);

  /// Error: the load could not begin. Everything else is in the report. SIGINT and SIGTERM end the
  /// load early; what was acknowledged before is still checked. A second signal ends the process.
  Result<Report> run();

 private:
  Task<void> run_all(Result<>& outcome);
  Async<> connect();
  Task<void> measure();
  Task<void> check();
  Task<void> close();
  /// Closes a second of the tally every second, until the group of tasks is closed.
  Task<void> close_seconds();
  void count_acknowledged();
  Task<void> show_checks();
  Result<> serve_branches();
  void wait_for_signal();

  LoadOptions options_;
  std::shared_ptr<asio::ssl::context> tls_;  ///< null without TLS
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  net::SystemClock clock_;
  net::SystemRandom random_;
  Timers timers_{io_.get_executor(), clock_};
  net::DnsWorkers dns_;
  net::SystemHostResolver resolver_{io_.get_executor(), dns_};
  CertifiedName names_;
  net::HttpClient http_;
  CallLedger ledger_;
  std::optional<Bank> bank_;  ///< set unless the user serves the branches
  Scenario scenario_;
  std::unique_ptr<CoordinatorClient> client_;
  std::optional<Runner> runner_;
  std::optional<Checker> checker_;
  Progress progress_;
  Report report_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
};

}  // namespace concerto::load
