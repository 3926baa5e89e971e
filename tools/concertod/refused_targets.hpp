#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto::tools {

/// Tells operators which rule has refused a target, because clients are not told. Clients can make
/// any number of refusals, so each text is told once a minute, and few texts. Thread-safe.
class RefusedTargets {
 public:
  static constexpr std::size_t lines_per_minute_max = 60;

  RefusedTargets(const Clock& clock, std::function<void(const std::string&)> say)
      : clock_(clock), say_(std::move(say)) {}

  void tell(const std::string& why);

 private:
  const Clock& clock_;
  const std::function<void(const std::string&)> say_;
  Mutex mutex_;
  SteadyTime minute_ends_ CONCERTO_GUARDED_BY(mutex_) = SteadyTime::min();
  std::set<std::string> told_ CONCERTO_GUARDED_BY(mutex_);  ///< in this minute
  std::size_t left_out_ CONCERTO_GUARDED_BY(mutex_) = 0;
};

}  // namespace concerto::tools
