#include "space_reserve.hpp"

#include <utility>

namespace concerto::persist {
namespace {

/// How long an operation waits before it is tried again.
constexpr std::chrono::milliseconds retry_interval{20};
constexpr std::chrono::seconds say_interval{10};

}  // namespace

void SpaceReserve::give_from(GiveUp give_up) {
  const MutexLock lock(mutex_);
  give_up_ = std::move(give_up);
}

void SpaceReserve::wait_from_now_on(std::function<void(const Error&)> on_wait) {
  const MutexLock lock(mutex_);
  may_wait_ = true;
  on_wait_ = std::move(on_wait);
}

void SpaceReserve::fail_at_once() {
  {
    const MutexLock lock(mutex_);
    may_wait_ = false;
  }
  changed_.notify_all();
}

/// Makes room for another attempt. False if the operation is to fail.
bool SpaceReserve::find_some(const Error& reason, std::uint64_t wanted) {
  UniqueLock lock(mutex_);
  if (give_up_ && give_up_(wanted)) return true;
  if (!may_wait_) return false;
  ++waiting_;
  if (const auto now = std::chrono::steady_clock::now(); now - said_ >= say_interval) {
    said_ = now;
    on_wait_(reason);
  }
  changed_.wait_for(lock, retry_interval);
  --waiting_;
  return may_wait_;
}

}  // namespace concerto::persist
