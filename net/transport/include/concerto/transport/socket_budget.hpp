#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include <concerto/base/export.hpp>

namespace concerto::net {

/// Limits how many sockets may be open at one time, for all users of the budget. A budget may be
/// part of a wider budget, which then has to have room too. Thread-safe.
class CONCERTO_EXPORT SocketBudget {
 public:
  explicit SocketBudget(std::size_t sockets_max,
                        std::shared_ptr<SocketBudget> whole = nullptr) noexcept
      : sockets_max_(sockets_max), whole_(std::move(whole)) {}
  SocketBudget(const SocketBudget&) = delete;
  SocketBudget& operator=(const SocketBudget&) = delete;

  /// Takes room for one more socket. Returns false if there is none.
  [[nodiscard]] bool take() noexcept;
  void give_back() noexcept;

  bool is_full() const noexcept;
  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::size_t sockets_max() const noexcept { return sockets_max_.load(std::memory_order_relaxed); }

  /// Changes the limit. Sockets beyond the new limit stay open.
  void set_max(std::size_t sockets_max) noexcept { sockets_max_.store(sockets_max); }

 private:
  std::atomic<std::size_t> sockets_max_;
  std::atomic<std::size_t> used_{0};
  const std::shared_ptr<SocketBudget> whole_;
};

/// The right to one socket. The destructor gives it back.
class CONCERTO_EXPORT SocketPlace {
 public:
  SocketPlace() = default;
  SocketPlace(SocketPlace&& other) noexcept : budget_(std::move(other.budget_)) {}
  SocketPlace& operator=(SocketPlace&& other) noexcept {
    std::swap(budget_, other.budget_);
    return *this;
  }
  ~SocketPlace() {
    if (budget_) budget_->give_back();
  }

  /// Returns false if the budget has no room. Without a budget there is always room.
  [[nodiscard]] bool take(const std::shared_ptr<SocketBudget>& budget) noexcept {
    if (!budget) return true;
    if (!budget->take()) return false;
    budget_ = budget;
    return true;
  }

 private:
  std::shared_ptr<SocketBudget> budget_;
};

}  // namespace concerto::net
