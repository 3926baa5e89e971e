// How a lane loses its connection, and what becomes of its commands then.

#include <algorithm>
#include <utility>

#include "redis_lane_answers.hpp"

namespace concerto::persist {
namespace {

constexpr std::chrono::milliseconds backoff_max{250};

}  // namespace

/// The connection is gone; commands that change something stay in the group, to be sent again. To
/// find a silent server silent once more takes seconds, for which nobody else waits.
void RedisLane::lost(const Error& error, Answers& answers) {
  connection_.reset();
  std::vector<AskPtr> open;
  for (AskPtr& ask : group_) {
    ask->reply.reset();
    if (changes(ask->deed)) {
      ask->was_lost = true;
      open.push_back(std::move(ask));
    } else if (ask->deed == Deed::claims) {
      answers.add(*ask, lost_answer(error.detail));
    } else {
      answers.add(*ask, not_made(error.detail));
    }
  }
  group_ = std::move(open);
  if (!is_silence(error)) return;
  set_away(error);
  refuse_all(error);
}

/// Refuses everything that was never sent.
void RedisLane::refuse_all(const Error& error) {
  Answers answers;
  std::erase_if(group_, [&](const AskPtr& ask) {
    if (ask->was_lost) return false;
    answers.add(*ask, not_made(error.detail));
    return true;
  });
  const MutexLock lock(mutex_);
  for (const AskPtr& ask : queue_) answers.add(*ask, not_made(error.detail));
  probe_.queued_bytes.fetch_sub(queued_bytes_, std::memory_order_relaxed);
  probe_.queued_changes.fetch_sub(queue_.size(), std::memory_order_relaxed);
  queue_.clear();
  queued_bytes_ = 0;
}

void RedisLane::set_away(const Error& error) {
  backoff_ = next_backoff_;
  next_backoff_ = std::min(2 * next_backoff_, backoff_max);
  standing_.away(this, error.detail);
  const MutexLock lock(mutex_);
  away_ = error.detail;
}

void RedisLane::set_back() {
  backoff_ = std::chrono::milliseconds{0};
  next_backoff_ = backoff_min;
  standing_.back(this);
  const MutexLock lock(mutex_);
  away_.reset();
}

/// The outcome of what was sent stays unknown.
void RedisLane::give_up() {
  if (group_.empty()) return;
  standing_.unconfirmed(group_.size());
  const Error unknown = lost_answer("the store was closed before Redis answered");
  Answers answers;
  for (const AskPtr& ask : group_) answers.add(*ask, unknown);
  group_.clear();
}

}  // namespace concerto::persist
