#pragma once

#include <concerto/base/clock.hpp>

namespace concerto::bench {

/// A clock that only the case moves, so that every run is the same.
class StillClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return SteadyTime{} + passed_; }
  WallTime wall_now() const noexcept override {
    return WallTime{std::chrono::seconds(1'700'000'000)} + passed_;
  }
  void advance(std::chrono::nanoseconds by) noexcept { passed_ += by; }

 private:
  std::chrono::nanoseconds passed_ = std::chrono::hours(1);
};

}  // namespace concerto::bench
