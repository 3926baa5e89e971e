#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/base/io_thread.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/engine/stderr_log.hpp>

#include "event_hub.hpp"
#include "local_shard.hpp"
#include "watched_store.hpp"

namespace concerto {
namespace {

/// How often the destructor asks whether the threads of the coordinator have ended everything.
constexpr std::chrono::milliseconds wait_poll{1};

/// A longer grace is for ever. A sum with a time of the clock must not overflow.
constexpr std::chrono::milliseconds grace_max = std::chrono::years{10};

LocalBranches only(BranchCaller& branches) {
  LocalBranches table;
  table.otherwise(branches);
  return table;
}

}  // namespace

struct EmbeddedCoordinator::Parts {
  Parts(asio::any_io_executor executor, Store& store, LocalBranches branches,
        const EmbeddedOptions& options);

  /// Whether another thread than this one runs the shards.
  bool is_run_elsewhere() const;
  /// Stops the coordinator at once, while other threads run the shards.
  void stop_elsewhere();
  void wait_for(const std::function<bool()>& condition);

  asio::any_io_executor user;
  SystemClock system_clock;
  StderrLog stderr_log;
  const Clock& clock;
  Observer& observer;
  EventHub events;
  WatchedStore watched;
  const Executor* given;  ///< that of an io_context on which the coordinator runs
  std::vector<std::unique_ptr<LocalShard>> shards;
  std::optional<Coordinator> coordinator;
  /// Coroutines of this object that have not ended. All of them begin on the first shard.
  std::atomic<std::size_t> running = 0;
  /// Becomes true on the first shard: no coroutine of this object begins to use the coordinator.
  std::atomic<bool> is_ending = false;
  std::optional<Result<>> recovered;  ///< used on the first shard, as the next one is
  std::optional<Notifier> recovery_ended;
  Mutex gid_mutex;
  SystemRandom gid_random CONCERTO_GUARDED_BY(gid_mutex);
};

EmbeddedCoordinator::Parts::Parts(asio::any_io_executor executor, Store& store,
                                  LocalBranches branches, const EmbeddedOptions& options)
    : user(std::move(executor)),
      clock(options.clock != nullptr ? *options.clock : system_clock),
      observer(options.observer != nullptr ? *options.observer : stderr_log),
      watched(store, events),
      given(options.threads == 0 ? user.target<Executor>() : nullptr) {
  CONCERTO_ASSERT(user && "the executor of an EmbeddedCoordinator is not empty");
  const LocalShard::Common common{user, std::make_shared<const LocalBranches>(std::move(branches)),
                                  clock, observer, options.random};
  std::optional<Executor> here;
  if (given != nullptr) here = *given;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
    shards.push_back(std::make_unique<LocalShard>(common, here));
  }
  recovery_ended.emplace(shards.front()->executor());
}

bool EmbeddedCoordinator::Parts::is_run_elsewhere() const {
  return given == nullptr || is_run_by_another_thread(*given);
}

void EmbeddedCoordinator::Parts::stop_elsewhere() {
  const auto has_stopped = std::make_shared<std::atomic<bool>>(false);
  asio::co_spawn(shards.front()->executor(), coordinator->stop(clock.steady_now()),
                 [has_stopped](const std::exception_ptr&) { has_stopped->store(true); });
  while (!has_stopped->load()) std::this_thread::sleep_for(wait_poll);
}

/// Lets the first shard run until the condition holds: its thread does, or this one.
void EmbeddedCoordinator::Parts::wait_for(const std::function<bool()>& condition) {
  const Executor& first = shards.front()->executor();
  if (!is_run_elsewhere()) {
    run_until(std::span(&first, 1), condition, [] {});
    return;
  }
  while (!condition()) std::this_thread::sleep_for(wait_poll);
}

EmbeddedCoordinator::EmbeddedCoordinator(asio::any_io_executor executor, Store& store,
                                         LocalBranches branches, EmbeddedOptions options)
    : parts_(std::make_unique<Parts>(std::move(executor), store, std::move(branches), options)) {
  std::vector<ShardPorts> ports;
  for (const auto& shard : parts_->shards) ports.push_back(shard->ports());
  const ModeTable& modes = options.modes != nullptr ? *options.modes : ModeTable::standard();
  parts_->coordinator.emplace(std::move(ports), parts_->watched, parts_->clock, options.coordinator,
                              modes);
  for (const auto& shard : parts_->shards) shard->run();
  spawn(recover());
}

EmbeddedCoordinator::EmbeddedCoordinator(asio::any_io_executor executor, Store& store,
                                         BranchCaller& branches, EmbeddedOptions options)
    : EmbeddedCoordinator(std::move(executor), store, only(branches), std::move(options)) {}

EmbeddedCoordinator::~EmbeddedCoordinator() {
  for (const auto& shard : parts_->shards) {
    CONCERTO_ASSERT(!shard->is_in_function() &&
                    "a branch does not destroy the coordinator that calls it; post that");
  }
  const auto has_ended = [this] { return parts_->running.load() == 0; };
  if (!has_ended()) {
    spawn(begin_end());
    parts_->wait_for([this] { return parts_->is_ending.load(); });
  }
  // Not only if something runs: timers are due at any time on the threads that run the shards.
  if (parts_->is_run_elsewhere()) parts_->stop_elsewhere();
  parts_->coordinator.reset();
  if (!has_ended()) parts_->wait_for(has_ended);
  parts_->events.close();
}

Task<void> EmbeddedCoordinator::begin_end() {
  parts_->is_ending = true;
  co_return;
}

Task<void> EmbeddedCoordinator::recover() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<> ended = has_ended();
  if (!is_ending()) {
    try {
      ended = co_await parts_->coordinator->recover();
    } catch (const std::exception& thrown) {
      ended =
          make_error(EngineErrc::store_failed, std::string("the store threw: ") + thrown.what());
    } catch (...) {
      ended = make_error(EngineErrc::store_failed, "the store threw no std::exception");
    }
  }
  if (!ended && ended.error().code != Errc::shutting_down) {
    parts_->observer.log(LogLevel::error, {},
                         "unfinished transactions were not read: " + ended.error().detail);
  }
  parts_->recovered = std::move(ended);
  parts_->recovery_ended->notify_all();
}

Async<> EmbeddedCoordinator::wait_until_recovered() {
  while (!parts_->recovered) {
    co_await parts_->recovery_ended->wait();
  }
  co_return *parts_->recovered;
}

Async<> EmbeddedCoordinator::stop_within(std::chrono::milliseconds grace) {
  co_await parts_->coordinator->stop(parts_->clock.steady_now() +
                                     std::clamp(grace, std::chrono::milliseconds(0), grace_max));
  parts_->events.close();
  co_return ok();
}

void EmbeddedCoordinator::spawn(Task<void> task) {
  parts_->running.fetch_add(1);
  asio::co_spawn(
      parts_->shards.front()->executor(), std::move(task),
      [parts = parts_.get()](const std::exception_ptr&) { parts->running.fetch_sub(1); });
}

bool EmbeddedCoordinator::is_ending() const noexcept {
  return parts_->is_ending.load();
}

Error EmbeddedCoordinator::has_ended() {
  return make_error(Errc::shutting_down, "the coordinator has ended");
}

const asio::any_io_executor& EmbeddedCoordinator::user() const noexcept {
  return parts_->user;
}

Gid EmbeddedCoordinator::new_gid() {
  const MutexLock lock(parts_->gid_mutex);
  return Coordinator::new_gid(parts_->gid_random);
}

TransEvents EmbeddedCoordinator::events(std::size_t unread_max) {
  return TransEvents(parts_->events.open(unread_max), parts_->user);
}

Coordinator& EmbeddedCoordinator::coordinator() noexcept {
  return *parts_->coordinator;
}

}  // namespace concerto
