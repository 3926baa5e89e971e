#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <concerto/base/async.hpp>

#include "live_trans.hpp"

namespace concerto {

class LiveTable;

/// Keeps a transaction in memory.
class Pin {
 public:
  Pin() = default;
  Pin(LiveTable& table, LiveTrans& live) : table_(&table), live_(&live) { ++live.users; }
  Pin(const Pin& other) : table_(other.table_), live_(other.live_) {
    if (live_ != nullptr) ++live_->users;
  }
  Pin(Pin&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)), live_(std::exchange(other.live_, nullptr)) {}
  Pin& operator=(Pin other) noexcept {
    std::swap(table_, other.table_);
    std::swap(live_, other.live_);
    return *this;
  }
  ~Pin();

  LiveTrans& operator*() const noexcept { return *live_; }
  LiveTrans* operator->() const noexcept { return live_; }
  bool holds() const noexcept { return live_ != nullptr; }

 private:
  LiveTable* table_ = nullptr;
  LiveTrans* live_ = nullptr;
};

/// The right to change a transaction, until the turn is destroyed or released.
class Turn {
 public:
  Turn() = default;
  explicit Turn(Pin pin) : pin_(std::move(pin)) {}
  Turn(Turn&&) = default;
  Turn& operator=(Turn&& other) noexcept {
    release();
    pin_ = std::move(other.pin_);
    return *this;
  }
  ~Turn() { release(); }

  bool holds() const noexcept { return pin_.holds(); }
  const Pin& pin() const noexcept { return pin_; }
  LiveTrans& operator*() const noexcept { return *pin_; }
  LiveTrans* operator->() const noexcept { return &*pin_; }

  /// Gives the turn to the next caller that waits for it.
  void release();

 private:
  Pin pin_;
};

/// The transactions of one shard that are in memory, and who may change them. On the shard's
/// thread, except size() and bytes().
class LiveTable {
 public:
  /// `leave` is called for each transaction that has left the table, before it is destroyed.
  /// `let_go` is called first for a transaction that has a lease or an `others_until`: it ends
  /// both, and may keep the transaction in memory meanwhile.
  LiveTable(Executor executor, std::function<void(LiveTrans&)> leave,
            std::function<void(LiveTrans&)> let_go)
      : executor_(std::move(executor)), leave_(std::move(leave)), let_go_(std::move(let_go)) {}

  /// Keeps the transaction with this gid in memory. If it is not there, the table gets an entry of
  /// which nothing is known yet.
  Pin pin(const Gid& gid);
  LiveTrans* find(const Gid& gid) const;

  /// Waits for the turn. Callers get it in the order in which they ask.
  Task<Turn> take_turn(Pin pin);

  /// The turn if it is free, otherwise a turn that holds nothing. Saves the coroutine of take_turn,
  /// which is all that take_turn costs when the turn is free.
  static Turn turn_if_free(const Pin& pin);

  /// Counts the present size of `live` among the bytes in memory.
  void count_bytes(LiveTrans& live);

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [gid, live] : table_) visit(*live);
  }

  std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  friend class Pin;

  void drop_if_unused(LiveTrans& live);

  Executor executor_;
  const std::function<void(LiveTrans&)> leave_;
  const std::function<void(LiveTrans&)> let_go_;
  /// By gid. The key refers to the gid of the transaction.
  std::unordered_map<std::string_view, std::unique_ptr<LiveTrans>> table_;
  // Written by the shard only; atomic so that metrics may read them.
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace concerto
