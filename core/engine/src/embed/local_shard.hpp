#pragma once

#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/system.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/coordinator.hpp>

#include "local_caller.hpp"

namespace concerto {

/// One shard with its parts: on an io_context of the embedder, or on one with a thread of its own.
class LocalShard {
 public:
  /// What all shards have in common. Outlives them.
  struct Common {
    asio::any_io_executor user;
    std::shared_ptr<const LocalBranches> branches;
    const Clock& clock;
    Observer& observer;
    RandomSource* random;
  };

  /// Without `given` the shard has an io_context of its own.
  LocalShard(const Common& common, std::optional<Executor> given);
  ~LocalShard();

  /// Starts the thread of the shard. Throws std::system_error.
  void run();
  /// Ends the thread, once everything that is due has run.
  void end();

  const Executor& executor() const noexcept { return executor_; }
  ShardPorts ports();
  /// Whether this thread is in a function of the LocalBranches that the shard has called.
  bool is_in_function() const noexcept {
    return executor_.running_in_this_thread() && caller_.is_in_function();
  }

 private:
  void run_here();

  std::unique_ptr<asio::io_context> own_;
  Executor executor_;
  std::optional<asio::executor_work_guard<Executor>> work_;
  Timers timers_;
  SystemRandom system_random_;
  RandomSource& random_;
  LocalCaller caller_;
  Observer& observer_;
  std::thread thread_;
};

}  // namespace concerto
