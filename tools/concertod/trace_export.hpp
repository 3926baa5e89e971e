#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/system.hpp>
#include <concerto/protocol/span_queue.hpp>
#include <concerto/protocol/trace_exporter.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/system.hpp>

#include "config.hpp"
#include "logging.hpp"

namespace concerto::tools {

/// What the section Trace means. The error names the key.
struct TraceSetup {
  net::TraceEndpoint endpoint;
  net::TraceHeaders headers;
  TraceOptions options;  ///< for the coordinator
};
[[nodiscard]] Result<TraceSetup> read_trace(const TraceConfig& config);

void check_trace(const TraceConfig& config, Findings& findings);

/// Sends spans to a collector, on a thread of its own: what a shard does for a span is to put it
/// into the queue. The destructor sends what is left, for two seconds at most.
class TraceExport {
 public:
  static constexpr std::chrono::seconds stop_grace{2};

  /// Null if the configuration names no collector. `tls` is that for branches. The log must outlive
  /// the object. The error says that the system has no more threads.
  static Result<std::unique_ptr<TraceExport>> start(const TraceConfig& config,
                                                    std::shared_ptr<boost::asio::ssl::context> tls,
                                                    Log& log);
  ~TraceExport();
  TraceExport(const TraceExport&) = delete;
  TraceExport& operator=(const TraceExport&) = delete;

  /// Replaces what new connections to the collector use. On any thread.
  void set_tls(std::shared_ptr<boost::asio::ssl::context> tls);

  /// On any thread.
  net::SpanQueue& queue() noexcept { return queue_; }
  std::uint64_t exported() const noexcept { return exporter_.exported(); }
  std::uint64_t failed() const noexcept { return exporter_.failed(); }
  std::uint64_t dropped() const { return queue_.dropped(); }

 private:
  TraceExport(const TraceConfig& config, TraceSetup setup,
              std::shared_ptr<boost::asio::ssl::context> tls, Log& log);
  Task<void> run();

  asio::io_context io_{1};
  SystemClock clock_;
  Timers timers_;
  LogObserver observer_;
  SystemRandom random_;
  net::DnsWorkers dns_;
  net::SystemHostResolver resolver_;
  net::TargetChannels channels_;
  net::SpanQueue queue_;
  net::TraceExporter exporter_;
  asio::executor_work_guard<Executor> work_;
  std::future<void> ended_;
  std::thread thread_;
};

}  // namespace concerto::tools
