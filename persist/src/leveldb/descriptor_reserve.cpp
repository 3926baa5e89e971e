#include "descriptor_reserve.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <boost/system/system_category.hpp>

namespace concerto::persist {
namespace {

/// How long an open waits before it is tried again.
constexpr std::chrono::milliseconds retry_interval{20};
constexpr std::chrono::seconds say_interval{10};

int open_any() noexcept {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Error no_descriptor(const std::string& text) {
  return Error{{EMFILE, boost::system::system_category()}, text};
}

bool lacks_descriptor(const Error& error) noexcept {
  return error.code == error_code{EMFILE, boost::system::system_category()};
}

DescriptorReserve::DescriptorReserve(std::size_t count) : count_(count) {
  refill();
}

DescriptorReserve::~DescriptorReserve() {
  for (const int held : held_) ::close(held);
}

void DescriptorReserve::wait_from_now_on(std::function<void()> on_wait) {
  const MutexLock lock(mutex_);
  may_wait_ = true;
  on_wait_ = std::move(on_wait);
}

void DescriptorReserve::fail_at_once() {
  {
    const MutexLock lock(mutex_);
    may_wait_ = false;
  }
  changed_.notify_all();
}

/// Makes a descriptor free. False if the open is to fail.
bool DescriptorReserve::find_one() {
  UniqueLock lock(mutex_);
  if (held_.empty() && !wait_for_one(lock)) return false;
  ::close(held_.back());
  held_.pop_back();
  missing_ = true;
  return true;
}

bool DescriptorReserve::wait_for_one(UniqueLock& lock) {
  if (!may_wait_) return false;
  ++waiting_;
  if (const auto now = std::chrono::steady_clock::now(); now - said_ >= say_interval) {
    said_ = now;
    on_wait_();
  }
  int fresh = -1;
  while (may_wait_ && held_.empty() && fresh < 0) {
    changed_.wait_for(lock, retry_interval);
    if (may_wait_) fresh = open_any();
  }
  if (fresh >= 0) held_.push_back(fresh);
  --waiting_;
  return !held_.empty();
}

void DescriptorReserve::refill() {
  const MutexLock lock(mutex_);
  while (held_.size() < count_) {
    const int fresh = open_any();
    if (fresh < 0) return;
    held_.push_back(fresh);
  }
  missing_ = false;
}

}  // namespace concerto::persist
