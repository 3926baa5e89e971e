#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "commit_request.hpp"
#include "ledger.hpp"

namespace concerto::persist {

/// How a group waits for company after one that had much of it.
struct Pace {
  std::size_t changes = 0;             ///< so many in the queue are enough; 0: none need be
  std::chrono::nanoseconds at_most{};  ///< then it is written anyway
};

/// The pace after a group with `answered` waiters that took `took` to write. A sync costs CPU, and
/// those who were just answered come again together: under load it pays to wait for them, for
/// less than the time that a sync takes. A lone change never waits.
constexpr Pace pace_after(std::size_t answered, std::chrono::nanoseconds took) noexcept {
  constexpr std::size_t answered_min = 8;
  constexpr std::chrono::microseconds at_most{250};
  if (answered < answered_min) return {};
  return {answered, std::min<std::chrono::nanoseconds>(took / 2, at_most)};
}

/// Forms groups out of requests: what the committer does, without thread, clock and disk, so that
/// tests run it step by step. Not thread-safe.
///
///     batcher.gather(queue, now, answers);
///     if (batcher.due() <= now) batcher.written(append(batcher.take()), answers);
class CommitBatcher {
 public:
  explicit CommitBatcher(Ledger& ledger) : ledger_(ledger) {}

  /// Orders requests until the queue is empty or the group full. Answered at once: refused ones,
  /// progress, and everything after a failure. Returns how many are in the group now.
  std::size_t gather(RequestList& queue, SteadyTime now, Answers& answers);

  /// When the gathered group is to be written; absent when nothing is gathered or nothing is
  /// written any more.
  std::optional<SteadyTime> due() const;

  /// The group, which the caller writes before it calls anything else.
  Ledger::Group take() { return ledger_.take_group(); }

  /// Answers those who wait for the group, and returns how many. After a failure nothing is
  /// written any more.
  std::size_t written(const Result<>& result, Answers& answers);

  /// No more writes, for a failure outside of a group.
  void fail(const Error& error) { failure_ = error; }
  bool failed() const noexcept { return failure_.has_value(); }

 private:
  Ledger& ledger_;
  std::vector<CommitRequest*> waiting_;
  std::optional<Error> failure_;
};

}  // namespace concerto::persist
