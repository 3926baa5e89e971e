#include "row_clock.hpp"

#include <cstdlib>

namespace concerto::persist {

void RowClock::measured(std::chrono::nanoseconds difference,
                        std::chrono::nanoseconds answer_took) noexcept {
  using namespace std::chrono;
  // Without this, a difference between two seconds would go to and fro with each measurement.
  constexpr milliseconds close{750};
  if (abs(difference - nanoseconds(this->difference())) < close + answer_took / 2) return;
  difference_s_.store(round<seconds>(difference).count(), std::memory_order_relaxed);
}

RowTime RowClock::to_row(WallTime time) const noexcept {
  const auto since = time.time_since_epoch() + std::chrono::milliseconds(500);
  return (std::chrono::floor<std::chrono::seconds>(since) + difference()).count();
}

RowTime RowClock::to_row_not_earlier(WallTime time) const noexcept {
  return (std::chrono::ceil<std::chrono::seconds>(time.time_since_epoch()) + difference()).count();
}

RowTime RowClock::to_row_not_later(WallTime time) const noexcept {
  return (std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()) + difference()).count();
}

WallTime RowClock::from_row(RowTime time) const noexcept {
  return WallTime{std::chrono::seconds{time} - difference()};
}

}  // namespace concerto::persist
