#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "group_sink.hpp"

namespace concerto::persist {

/// How long the queue may wait for more changes before the next group is gathered.
struct Pace {
  std::size_t changes = 0;             ///< the wait ends when the queue has so many changes
  std::chrono::nanoseconds at_most{};  ///< or after this time; 0: no wait
};

/// The pace after a group that took `took` to write and had `answered` waiters. A sync costs CPU,
/// and the waiters that were just answered make their next changes at about the same time. So under
/// load it pays to wait for these changes, for less time than a sync takes. A lone change never
/// waits.
constexpr Pace pace_after(std::size_t answered, std::chrono::nanoseconds took) noexcept {
  constexpr std::size_t answered_min = 8;
  constexpr std::chrono::microseconds at_most{250};
  if (answered < answered_min) return {};
  return {answered, std::min<std::chrono::nanoseconds>(took / 2, at_most)};
}

/// Builds groups of requests: the committer's work without its thread, clock and disk, so that
/// tests run it step by step. Not thread-safe.
///
///     batcher.gather(queue, now, answers);
///     if (batcher.due() <= now) { batcher.write(); batcher.answer(answers); }
class CommitBatcher {
 public:
  explicit CommitBatcher(GroupSink& sink, const GroupLimits& limits = {})
      : sink_(sink), group_(limits) {}

  /// Adds requests to the group until the queue is empty or the group full. Some requests are
  /// answered at once: those that the sink refuses, progress, and after a failure all of them.
  /// Returns how many requests were added.
  std::size_t gather(RequestList& queue, SteadyTime now, Answers& answers);

  /// When the gathered group is to be written. Absent if the group is empty, and after a failure.
  std::optional<SteadyTime> due() const noexcept;

  /// The group that is gathered, or was written and is not answered yet.
  const CommitGroup& group() const noexcept { return group_; }

  /// Lets the sink write the group. `answer` follows, before anything else is called.
  void write();
  /// Answers those who wait for the group, and returns how many. The next group begins.
  std::size_t answer(Answers& answers);

  /// Nothing is written any more, because of a failure outside of a group.
  void fail(const Error& error) { failure_ = error; }
  bool failed() const noexcept { return failure_.has_value(); }

 private:
  GroupSink& sink_;
  CommitGroup group_;
  std::optional<Error> failure_;
};

}  // namespace concerto::persist
