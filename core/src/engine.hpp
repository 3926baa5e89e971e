#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/intrusive/list.hpp>

#include <concerto/core/coordinator.hpp>
#include <concerto/core/task_group.hpp>

#include "alarms.hpp"
#include "draft.hpp"
#include "live_trans.hpp"

namespace concerto {

/// The transactions of one shard: requests, passes over their branches, rests and recovery.
/// Everything runs on the shard's thread. The modes decide, the engine carries out.
class Engine {
 public:
  Engine(ShardPorts ports, Store& store, const Clock& clock, Observer& observer,
         const CoordinatorOptions& options);
  ~Engine();

  Executor executor() const { return ports_.executor; }

  Async<> prepare(TransRequest request);
  Async<> submit(TransRequest request);
  Async<> abort(TransRequest request);
  Async<> force_stop(Gid gid);
  Async<> reset_next_cron_time(Gid gid);
  Async<std::optional<Transaction>> query(Gid gid);

  /// Sets the alarms of unfinished transactions that the store listed.
  Task<void> recover(std::vector<ActiveTrans> transactions);
  /// Takes no more requests and starts no more calls.
  Task<void> begin_stop();
  /// Returns when nothing runs any more; what still runs at `deadline` is cancelled.
  Task<void> finish_stop(SteadyTime deadline);

  InFlight in_flight() const noexcept;

 private:
  class Pin;
  class Turn;

  // Who may touch a transaction (engine_turns.cpp).
  Pin pin(const Gid& gid);
  Task<Turn> take_turn(Pin pin);
  Task<Turn> enter(Gid gid);
  Async<> load(LiveTrans& live);
  Async<Turn> enter_existing(Gid gid);
  void adopt(LiveTrans& live, Transaction trans, CustomData custom, const Mode& mode);
  void drop_if_unused(LiveTrans& live);

  // Requests (engine.cpp).
  Result<> admit(const LiveTrans& live, const Draft& draft) const;
  Async<> create(LiveTrans& live, Draft& draft, TransStatus status);
  Async<> submit_existing(LiveTrans& live, Draft& draft);
  Async<> wait_for_pass(Pin pin, std::uint64_t seen, SteadyTime until);

  // Passes (engine_pass.cpp).
  void start_driver(LiveTrans& live);
  Task<void> drive(Pin pin);
  Async<bool> drive_step(Pin pin);
  Async<Next> settle(LiveTrans& live);
  void start_calls(const Pin& pin, const Next& next);
  Task<void> call_branch(Pin pin, std::uint32_t index, TransStatus called_in);
  Task<void> call_initiator(Pin pin, TransStatus called_in);
  Task<void> pause_branch(Pin pin, std::uint32_t index);
  Task<BranchReply> call(const LiveTrans& live, BranchCall call);
  void record(const Pin& pin, std::uint32_t index, TransStatus called_in, BranchReply reply);
  void record_query(LiveTrans& live, TransStatus called_in, BranchReply reply);
  void note_outcome(LiveTrans& live, Outcome outcome, Error error, Rest rest);
  Async<> rest(LiveTrans& live, std::optional<std::chrono::seconds> delay);
  void end_pass(LiveTrans& live, Result<> result);
  void tell_waiters(LiveTrans& live, Result<> result);
  Result<> answer(const LiveTrans& live) const;
  std::chrono::seconds timeout_of(const Transaction& trans, const Mode& mode) const;

  // Changes (engine_changes.cpp).
  Async<> commit(LiveTrans& live, TransDelta delta, Durability durability);
  Async<> change_status(LiveTrans& live, StatusChange change);
  void mark_unsaved(LiveTrans& live);
  Task<void> save_progress();

  // Alarms and recovery (engine_alarms.cpp).
  void arm_timeout(const LiveTrans& live);
  void set_next_alarm();
  void ring();
  Task<void> wake(Alarms::Due due);

  void log(LogLevel level, const LiveTrans& live, const std::string& text) const;

  ShardPorts ports_;
  Store& store_;
  const Clock& clock_;
  Observer& observer_;
  const CoordinatorOptions options_;
  std::unordered_map<Gid, std::unique_ptr<LiveTrans>> live_;
  boost::intrusive::list<LiveTrans, boost::intrusive::constant_time_size<false>> unsaved_;
  Alarms alarms_;
  Timer alarm_timer_;
  Timer progress_timer_;
  std::size_t bytes_ = 0;
  std::size_t wakes_in_progress_ = 0;
  bool stopping_ = false;
  std::atomic<std::size_t> live_count_{0}, alarm_count_{0}, bytes_count_{0};
  TaskGroup tasks_;
};

/// Keeps a transaction in memory.
class Engine::Pin {
 public:
  Pin() = default;
  Pin(Engine& engine, LiveTrans& live) : engine_(&engine), live_(&live) { ++live.users; }
  Pin(const Pin& other) : engine_(other.engine_), live_(other.live_) {
    if (live_ != nullptr) ++live_->users;
  }
  Pin(Pin&& other) noexcept
      : engine_(std::exchange(other.engine_, nullptr)),
        live_(std::exchange(other.live_, nullptr)) {}
  Pin& operator=(Pin other) noexcept {
    std::swap(engine_, other.engine_);
    std::swap(live_, other.live_);
    return *this;
  }
  ~Pin() {
    if (live_ == nullptr) return;
    --live_->users;
    engine_->drop_if_unused(*live_);
  }

  LiveTrans& operator*() const noexcept { return *live_; }
  LiveTrans* operator->() const noexcept { return live_; }
  bool holds() const noexcept { return live_ != nullptr; }

 private:
  Engine* engine_ = nullptr;
  LiveTrans* live_ = nullptr;
};

/// The right to change a transaction, until it dies or is released.
class Engine::Turn {
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

  const Pin& pin() const noexcept { return pin_; }
  LiveTrans& operator*() const noexcept { return *pin_; }
  LiveTrans* operator->() const noexcept { return &*pin_; }

  /// Lets the next one go on.
  void release() {
    if (!pin_.holds()) return;
    const Pin pin = std::move(pin_);
    // The turn is handed over, so that nobody comes in between.
    if (pin->turn_freed.has_waiters()) {
      pin->turn_freed.notify_one();
    } else {
      pin->turn_taken = false;
    }
  }

 private:
  Pin pin_;
};

}  // namespace concerto
