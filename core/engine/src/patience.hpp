#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <boost/intrusive/list.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "engine_log.hpp"
#include "shard_env.hpp"

namespace concerto {

/// Bounds how long a caller waits for the store. A request runs as a task of the engine's. If the
/// store takes too long, the caller gets an error, and the request goes on as if its caller still
/// waited: it keeps its turn until the store has answered, and what it has stored is driven.
///
/// A caller waits for `CoordinatorOptions::store_answer_max`, for `away_answer_max` while the store
/// does not serve, and not beyond its own deadline, each up to `look_pause` longer. While a request
/// is overdue, further ones of its kind for its gid are refused at once, so that those who repeat a
/// request do not fill the memory. On the shard's thread.
class Patience {
 public:
  enum class Deed : std::uint8_t { changes, reads };

  static constexpr std::chrono::seconds look_pause{1};

  /// The references must outlive this object.
  Patience(ShardEnv& env, EngineLog& log, TaskGroup& tasks)
      : env_(env), log_(log), tasks_(tasks), timer_(env.ports.timers, [this] { look(); }) {}

  /// Runs a request about `gid`, and tells the operator what the store refuses. Errors: those of
  /// the request; store_late for a change and store_busy for a read that takes too long.
  template <class T>
  Async<T> bound(Gid gid, Deed deed, SteadyTime until, Async<T> request);

  /// At the deadline of a stop nobody waits any more.
  void give_up_all();
  void stop() { timer_.cancel(); }

 private:
  struct Call : boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    Gid gid;
    Deed deed = Deed::changes;
    SteadyTime since{};
    SteadyTime until{};
    bool is_over = false;
    bool is_given_up = false;
    Completion<bool> caller;
  };
  template <class T>
  struct CallOf : Call {
    std::optional<Result<T>> result;
    std::exception_ptr failure;
  };
  /// What the log has said about requests that are overdue.
  struct Episode {
    SteadyTime since{};
    std::size_t calls = 0;
    LogLevel level = LogLevel::debug;
  };

  template <class T>
  Task<void> carry_out(std::shared_ptr<CallOf<T>> call, Async<T> request);
  Result<> admit(const Gid& gid, Deed deed) const;
  Task<bool> wait(Call& call, SteadyTime until);
  void end(Call& call);
  void look_at(SteadyTime at);
  void look();
  void give_up(Call& call);
  Error late(const Gid& gid, Deed deed) const;
  auto& overdue_of(Deed deed) { return overdue_[static_cast<std::size_t>(deed)]; }
  const auto& overdue_of(Deed deed) const { return overdue_[static_cast<std::size_t>(deed)]; }

  ShardEnv& env_;
  EngineLog& log_;
  TaskGroup& tasks_;
  Timer timer_;
  SteadyTime look_at_{};  ///< for when the timer is set
  /// Those whose callers wait, the oldest first.
  boost::intrusive::list<Call, boost::intrusive::constant_time_size<false>> waiting_;
  /// How many requests for a gid go on without a caller, for each Deed.
  std::array<std::unordered_map<Gid, std::size_t>, 2> overdue_;
  Episode episode_;
};

template <class T>
Async<T> Patience::bound(Gid gid, Deed deed, SteadyTime until, Async<T> request) {
  if (tasks_.closing()) co_return co_await std::move(request);  // The stop has told its waiters.
  CONCERTO_CO_CHECK(admit(gid, deed));
  const auto call = std::make_shared<CallOf<T>>();
  call->gid = std::move(gid);
  call->deed = deed;
  tasks_.spawn(carry_out(call, std::move(request)));
  if (!call->is_over) {
    const bool ended = co_await wait(*call, until);
    if (!ended) co_return late(call->gid, deed);
  }
  if (call->failure) std::rethrow_exception(call->failure);
  if (!*call->result) log_.write_refusal(call->gid, call->result->error());
  co_return std::move(*call->result);
}

template <class T>
Task<void> Patience::carry_out(std::shared_ptr<CallOf<T>> call, Async<T> request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    Result<T> result = co_await std::move(request);
    call->result = std::move(result);
  } catch (...) {
    if (call->is_given_up) throw;
    call->failure = std::current_exception();
  }
  end(*call);
}

}  // namespace concerto
