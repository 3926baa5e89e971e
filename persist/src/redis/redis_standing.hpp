#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store_health.hpp>

#include "redis_answer.hpp"

namespace concerto::persist {

/// Whether Redis serves, as the lanes of a store find out. An outage lasts while a lane has no
/// connection, or waits for replicas. Refusals last while the server answers changes with errors.
/// The log has a line when either begins, a line for each other reason that it has meanwhile, and a
/// line when it is over, however many lanes notice it. Thread-safe.
class RedisStanding {
 public:
  /// So many reasons of an outage are logged.
  static constexpr std::size_t reasons_max = 4;
  /// Refusals are over in the log when there was none for so long: with a memory that is nearly
  /// full, some changes are made and others refused.
  static constexpr std::chrono::seconds quiet{5};

  /// Both must outlive the object.
  RedisStanding(const Clock& clock, Observer& observer) : clock_(clock), observer_(observer) {}

  /// A lane is known by its address.
  void away(const void* lane, const std::string& why);
  void back(const void* lane);

  /// Redis has answered with this error, which may be a refusal.
  void refuses(std::string_view error_text, Deed deed);
  /// A change for which a caller waits was refused, or made.
  void count_refused(RedisTrouble trouble) noexcept;
  /// To be called at intervals, so that the end of refusals is noticed. Returns how many refusals
  /// there were.
  std::uint64_t look();
  /// Redis has made a trial that was sent when there were so many refusals. Other changes show
  /// nothing: many find nothing to write, and Redis refuses only what is written.
  void made(std::uint64_t refusals);

  /// A stop has left so many changes without an answer.
  void unconfirmed(std::size_t changes);

  bool is_away() const noexcept { return is_away_.load(std::memory_order_relaxed); }
  /// Whether it refuses changes, or did so until a moment ago.
  bool has_refused() const noexcept { return is_noted_.load(std::memory_order_relaxed); }
  void add_to(StoreHealth& health) const;
  std::uint64_t refused(RedisTrouble trouble) const noexcept;

 private:
  static constexpr std::size_t troubles = static_cast<std::size_t>(RedisTrouble::other) + 1;

  /// What the log has said about something that lasts.
  struct Episode {
    SteadyTime since{};
    std::vector<std::string> said;

    /// Whether the reason is to be logged.
    bool is_news(std::string reason);
  };

  void end_when_quiet() CONCERTO_REQUIRES(mutex_);

  const Clock& clock_;
  Observer& observer_;
  std::array<std::atomic<std::uint64_t>, troubles> refused_{};
  std::atomic<bool> is_away_ = false;   ///< a lane is in `away_`
  std::atomic<bool> is_noted_ = false;  ///< there is an episode of refusals

  mutable Mutex mutex_;
  std::set<const void*> away_ CONCERTO_GUARDED_BY(mutex_);
  Episode outage_ CONCERTO_GUARDED_BY(mutex_);  ///< with `away_`
  /// Why changes are refused now.
  std::array<std::optional<std::string>, troubles> reasons_ CONCERTO_GUARDED_BY(mutex_);
  std::uint64_t refusals_count_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::optional<Episode> refusals_ CONCERTO_GUARDED_BY(mutex_);
  SteadyTime last_refusal_ CONCERTO_GUARDED_BY(mutex_){};
};

}  // namespace concerto::persist
