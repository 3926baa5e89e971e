#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>

#include "failures.hpp"
#include "histogram.hpp"

namespace concerto::load {

/// One second of the measured time; the last one may be shorter.
struct Second {
  double end = 0;       ///< seconds since the beginning
  double duration = 0;  ///< seconds
  std::uint64_t transactions = 0;
  std::uint64_t failures = 0;
  std::uint64_t p99_us = 0;

  double per_second() const noexcept {
    return duration > 0 ? static_cast<double>(transactions) / duration : 0;
  }
  double failures_per_second() const noexcept {
    return duration > 0 ? static_cast<double>(failures) / duration : 0;
  }
};

/// A time of at least a second in which transactions failed and none ended as it should.
struct Outage {
  double begin = 0;  ///< seconds since the beginning of the measured time
  double end = 0;
  std::uint64_t failures = 0;
};

/// Counts how transactions end: the latencies of those that were acknowledged in the measured time,
/// in all and by the second, and the failures of the whole load.
class Tally {
 public:
  /// The measured time begins. What was noted before was the warm-up.
  void start(SteadyTime now);
  /// Closes the second that ends now. Does nothing before start and after stop.
  void close_second(SteadyTime now);
  void stop(SteadyTime now);

  /// A transaction ended as it should, or was acknowledged, at `end`. `begin` is when it was to
  /// begin, so that being late counts. `rolled_back`: it failed on purpose.
  void note_end(SteadyTime begin, SteadyTime end, bool rolled_back);
  void note_failure(std::string_view gid, std::string_view text);

  std::uint64_t warm_up_transactions() const noexcept { return warm_up_transactions_; }
  const Histogram& latency_us() const noexcept { return latency_us_; }
  /// Of those among them that failed on purpose.
  const Histogram& rolled_back_us() const noexcept { return rolled_back_us_; }
  const Failures& failures() const noexcept { return failures_; }
  const std::vector<Second>& seconds() const noexcept { return seconds_; }
  /// In the measured time, one after the other.
  std::vector<Outage> outages() const;
  /// Seconds from start to stop.
  double duration() const noexcept { return duration_; }

 private:
  /// The rest of a second is shown only if it has at least so many seconds.
  static constexpr double rest_min = 0.2;

  double since_start(SteadyTime now) const;

  bool measuring_ = false;
  SteadyTime start_;
  double duration_ = 0;
  std::uint64_t warm_up_transactions_ = 0;
  Histogram latency_us_;
  Histogram rolled_back_us_;
  Histogram second_us_;  ///< of the second that is not closed yet
  std::uint64_t second_failures_ = 0;
  Failures failures_;
  std::vector<Second> seconds_;
};

}  // namespace concerto::load
