#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/base/probe.hpp>
#include <concerto/engine/span.hpp>

namespace concerto::net {

/// The spans that wait to be exported, each encoded as OTLP has it. When the queue is full, further
/// spans are dropped and counted: nobody who records a span ever waits. Thread-safe.
class CONCERTO_EXPORT SpanQueue {
 public:
  static constexpr std::size_t standard_spans_max = 16'384;
  static constexpr std::size_t standard_bytes_max = std::size_t{16} << 20;

  explicit SpanQueue(std::size_t spans_max = standard_spans_max,
                     std::size_t bytes_max = standard_bytes_max)
      : spans_max_(spans_max), bytes_max_(bytes_max) {}

  void add(const Span& span);

  /// Takes the oldest spans out of the queue, `count_max` at most.
  std::vector<std::string> take(std::size_t count_max);

  /// How many spans there was no room for, on any thread.
  std::uint64_t dropped() const;

 private:
  const std::size_t spans_max_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::string> spans_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace concerto::net
