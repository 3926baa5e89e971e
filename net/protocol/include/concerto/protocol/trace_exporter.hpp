#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/protocol/span_queue.hpp>
#include <concerto/protocol/target_channels.hpp>

namespace concerto::net {

/// Where spans are sent: `collector:4317`, `http://collector:4317`, or `https://..` with TLS.
struct CONCERTO_EXPORT TraceEndpoint {
  std::string target;  ///< host:port; empty: nowhere
  bool uses_tls = false;
};

/// Error invalid_request: the text is no such place. An empty text means nowhere.
[[nodiscard]] CONCERTO_EXPORT Result<TraceEndpoint> parse_trace_endpoint(std::string_view text);

using TraceHeaders = std::vector<std::pair<std::string, std::string>>;

/// `name=value,name=value`, as OpenTelemetry's variables have it. Error invalid_request: a part has
/// no name or value that gRPC can send; the text does not show the values.
[[nodiscard]] CONCERTO_EXPORT Result<TraceHeaders> parse_trace_headers(std::string_view list);

struct CONCERTO_EXPORT TraceExporterOptions {
  std::string target;
  TraceHeaders headers;
  std::string service_name = "concerto";
  std::string service_version;
  std::string instance;  ///< what tells this coordinator from others of the service
  std::size_t batch_spans_max = 512;
  std::chrono::milliseconds interval{500};       ///< between two looks into the queue
  std::chrono::seconds timeout{10};              ///< of one call
  unsigned tries_max = 5;                        ///< of one batch
  std::chrono::milliseconds pause_first{1'000};  ///< doubles with each try
};

/// Sends the spans of a queue to a collector (OTLP over gRPC), in batches, one after the other.
/// While the collector is away, the queue fills and drops. On one thread, except the counts.
class CONCERTO_EXPORT TraceExporter {
 public:
  /// The references must outlive the object. `warn` gets lines for the log.
  TraceExporter(TargetChannels& channels, Timers& timers, SpanQueue& queue,
                std::function<void(LogLevel, const std::string&)> log,
                TraceExporterOptions options);

  /// Sends until stop() is called; then it sends what is left, as far as the deadline allows.
  Task<void> run();
  void stop(SteadyTime deadline);

  std::uint64_t exported() const noexcept { return exported_.load(std::memory_order_relaxed); }
  /// Spans that the collector has not taken.
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  Task<void> send_all();
  Task<void> send(std::vector<std::string> spans);
  Task<bool> try_once(const std::string& message, std::size_t spans, Error& error);
  bool is_over() const noexcept { return timers_.now() >= end_; }
  std::string message_of(std::vector<std::string> spans) const;
  void note(const Error* error, std::size_t rejected);

  TargetChannels& channels_;
  Timers& timers_;
  SpanQueue& queue_;
  const std::function<void(LogLevel, const std::string&)> log_;
  const TraceExporterOptions options_;
  SteadyTime end_ = SteadyTime::max();  ///< after it nothing is sent
  bool is_stopping_ = false;
  Notifier stopped_;
  bool has_failed_ = false;  ///< the log has said so
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace concerto::net
