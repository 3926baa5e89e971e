#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include <concerto/base/clock.hpp>

#include "rows.hpp"

namespace concerto::persist {

/// Turns this process's wall time into times of rows, and back. All nodes of a database mean the
/// same moment by a time in a row, because the time is of the database's clock.
///
/// The difference of the two clocks is kept in whole seconds, as rows keep their times. So a time
/// that was written is read again unchanged. Thread-safe.
class RowClock {
 public:
  /// Takes a new measurement: the database's clock minus this process's at the middle of the time
  /// that the answer took. What is close to the known difference, or may be, changes nothing.
  void measured(std::chrono::nanoseconds difference, std::chrono::nanoseconds answer_took) noexcept;
  std::chrono::seconds difference() const noexcept {
    return std::chrono::seconds{difference_s_.load(std::memory_order_relaxed)};
  }

  /// The nearest second.
  RowTime to_row(WallTime time) const noexcept;
  /// The first second that is not earlier: what waits is never due before its time.
  RowTime to_row_not_earlier(WallTime time) const noexcept;
  RowTime to_row_not_later(WallTime time) const noexcept;
  WallTime from_row(RowTime time) const noexcept;

 private:
  std::atomic<std::int64_t> difference_s_ = 0;
};

}  // namespace concerto::persist
