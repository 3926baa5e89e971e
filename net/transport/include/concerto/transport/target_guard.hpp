#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/transport/target_policy.hpp>

namespace concerto::net {

/// The policy that is in force, for all shards of a process. Any thread may use it.
///
/// What a policy says of a refused target names the rule, and the address of a name: whoever chose
/// the name could read what it means inside. So the errors of `check` and `shown` only say that the
/// target is refused; `tell` gets the rest.
class CONCERTO_EXPORT TargetGuard {
 public:
  /// Told of each refusal, for operators, on any thread.
  using Tell = std::function<void(const std::string& why)>;

  explicit TargetGuard(TargetPolicy policy = {}, Tell tell = {}) : tell_(std::move(tell)) {
    set(std::move(policy));
  }
  TargetGuard(const TargetGuard&) = delete;
  TargetGuard& operator=(const TargetGuard&) = delete;

  /// Valid as long as the guard. Equal addresses mean equal policies.
  const TargetPolicy& policy() const noexcept { return *current_.load(std::memory_order_acquire); }

  /// What the policy in force says, as clients may see it.
  [[nodiscard]] Result<> check(const TargetPlace& place) const {
    return shown(place, policy().check(place));
  }
  [[nodiscard]] Result<> check(const TargetPlace& place,
                               const boost::asio::ip::address& address) const {
    return shown(place, policy().check(place, address));
  }

  /// What a policy has said about `place`, as clients may see it.
  [[nodiscard]] Result<> shown(const TargetPlace& place, Result<> checked) const;

  void set(TargetPolicy policy) {
    const MutexLock lock{mutex_};
    for (const auto& known : policies_) {
      if (*known == policy) return current_.store(known.get(), std::memory_order_release);
    }
    policies_.push_back(std::make_unique<const TargetPolicy>(std::move(policy)));
    current_.store(policies_.back().get(), std::memory_order_release);
  }

 private:
  const Tell tell_;
  std::atomic<const TargetPolicy*> current_{nullptr};
  Mutex mutex_;
  /// Every policy that was ever set, because a former one may still be in use. An operator sets
  /// few.
  std::vector<std::unique_ptr<const TargetPolicy>> policies_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::net
