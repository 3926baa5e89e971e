#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/base/clock.hpp>
#include <concerto/base/random_source.hpp>

namespace concerto::test {

/// A clock that stands still until a test moves it. Wall time can be moved alone, and can be made
/// to advance with each reading.
class FakeClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return steady_; }
  WallTime wall_now() const noexcept override { return wall_ += step_per_look_; }

  void advance(std::chrono::nanoseconds by) {
    steady_ += by;
    wall_ += by;
  }
  void step_wall(std::chrono::nanoseconds by) { wall_ += by; }
  /// Makes wall time advance with each reading, because a real clock never gives the same time
  /// twice.
  void step_wall_at_each_look(std::chrono::nanoseconds by) { step_per_look_ = by; }

 private:
  SteadyTime steady_{std::chrono::hours(1)};
  mutable WallTime wall_{std::chrono::hours(24 * 365 * 55)};
  std::chrono::nanoseconds step_per_look_{};
};

/// A clock that is ahead of another clock by as much as a test has moved it. So time passes at once
/// when the test needs it, and otherwise as fast as for the sockets of the test.
class MovableClock final : public Clock {
 public:
  explicit MovableClock(const Clock& base) : base_(base) {}

  SteadyTime steady_now() const noexcept override { return base_.steady_now() + ahead_; }
  WallTime wall_now() const noexcept override { return base_.wall_now() + ahead_; }

  void advance(std::chrono::nanoseconds by) { ahead_ += by; }

 private:
  const Clock& base_;
  std::chrono::nanoseconds ahead_{};
};

/// splitmix64: the same seed gives the same numbers everywhere.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    std::uint64_t mixed = (state_ += 0x9E3779B97F4A7C15ULL);
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
  }

  /// A number from 0 to limit - 1, uniform enough for tests.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace concerto::test
