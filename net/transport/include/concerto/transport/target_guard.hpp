#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/transport/target_policy.hpp>

namespace concerto::net {

/// The policy that is in force, for all shards of a process. Any thread may use it.
class CONCERTO_EXPORT TargetGuard {
 public:
  explicit TargetGuard(TargetPolicy policy = {}) { set(std::move(policy)); }
  TargetGuard(const TargetGuard&) = delete;
  TargetGuard& operator=(const TargetGuard&) = delete;

  /// Valid as long as the guard. Equal addresses mean equal policies.
  const TargetPolicy& policy() const noexcept { return *current_.load(std::memory_order_acquire); }

  void set(TargetPolicy policy) {
    const MutexLock lock{mutex_};
    for (const auto& known : policies_) {
      if (*known == policy) return current_.store(known.get(), std::memory_order_release);
    }
    policies_.push_back(std::make_unique<const TargetPolicy>(std::move(policy)));
    current_.store(policies_.back().get(), std::memory_order_release);
  }

 private:
  std::atomic<const TargetPolicy*> current_{nullptr};
  Mutex mutex_;
  /// Every policy that was ever set, because a former one may still be in use. An operator sets
  /// few.
  std::vector<std::unique_ptr<const TargetPolicy>> policies_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::net
