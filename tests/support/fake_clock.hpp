#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/base/clock.hpp>
#include <concerto/base/random_source.hpp>

namespace concerto::test {

/// A clock that stands until it is moved. Wall time can be moved on its own, and on by each look.
class FakeClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return steady_; }
  WallTime wall_now() const noexcept override { return wall_ += step_per_look_; }

  void advance(std::chrono::nanoseconds by) {
    steady_ += by;
    wall_ += by;
  }
  void step_wall(std::chrono::nanoseconds by) { wall_ += by; }
  /// As a real clock does, which never shows two looks the same time.
  void step_wall_at_each_look(std::chrono::nanoseconds by) { step_per_look_ = by; }

 private:
  SteadyTime steady_{std::chrono::hours(1)};
  mutable WallTime wall_{std::chrono::hours(24 * 365 * 55)};
  std::chrono::nanoseconds step_per_look_{};
};

/// Another clock, ahead of it by as much as a test has moved this one: time passes at once where a
/// test needs it to pass, and otherwise as it does for the sockets of the test.
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

  /// Uniform enough for tests: 0 to limit - 1.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace concerto::test
