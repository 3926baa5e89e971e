#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/core/task_group.hpp>
#include <concerto/net/host_resolver.hpp>
#include <concerto/net/system.hpp>

#include "bank.hpp"
#include "call_ledger.hpp"
#include "coordinator_client.hpp"

namespace concerto::bench {

struct LoadOptions {
  Wire wire = Wire::grpc;
  std::uint16_t grpc_port = 0;
  std::uint16_t http_port = 0;
  int server_process = 0;
  std::size_t in_flight = 128;
  double rate = 0;  ///< sagas per second that begin at even times; 0: as in_flight allows
  double warm_up_seconds = 1;
  double seconds = 5;
  std::size_t payload_bytes = 100;
  std::size_t samples_max = 200;  ///< transactions that are queried at the end
  std::string data_directory;     ///< of the server; empty: its device's writes are not counted
  std::string gid_prefix = "load";
};

/// What one measured period was like. All counts are of that period alone.
struct LoadReport {
  std::size_t warm_up_transactions = 0;
  double seconds = 0;
  std::vector<double> latencies_us;  ///< one per transaction, sorted
  double server_cpu_us = 0;
  double client_cpu_us = 0;  ///< of this process: it submits, and serves the branches
  std::optional<std::uint64_t> device_bytes;  ///< written by the device under the server's data
  std::size_t queried = 0;
};

/// Keeps a number of sagas in flight at a coordinator, or begins them at a rate, and serves their
/// branches, all on the calling thread.
class Load {
 public:
  explicit Load(LoadOptions options);

  /// Error: the first thing that was not as it has to be. Every acknowledged saga must have
  /// called both branches; those of the sample must be stored as succeeded with both.
  Result<LoadReport> run();

 private:
  Task<void> run_all(LoadReport& report);
  Async<> measure(LoadReport& report);
  Task<void> offer(double seconds, std::vector<double>* latencies_us);
  Task<void> keep_in_flight(SteadyTime until, std::vector<double>* latencies_us);
  Task<void> keep_rate(SteadyTime until, std::vector<double>* latencies_us);
  Task<void> submit_in_turn(SteadyTime until, std::vector<double>* latencies_us);
  Task<void> submit_one(SteadyTime begin, std::vector<double>* latencies_us);
  Async<> check_sample(LoadReport& report);
  Async<> check_stored(std::string gid);
  SagaShape shape() const;
  void fail(Error error);

  LoadOptions options_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  net::SystemClock clock_;
  net::SystemRandom random_;
  Timers timers_{io_.get_executor(), clock_};
  net::DnsWorkers dns_;
  net::SystemHostResolver resolver_{io_.get_executor(), dns_};
  net::HttpClient http_;
  CallLedger ledger_;
  Bank bank_;
  std::unique_ptr<CoordinatorClient> client_;
  std::vector<std::string> acknowledged_;
  Error failure_;
};

}  // namespace concerto::bench
