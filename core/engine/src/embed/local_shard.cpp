#include "local_shard.hpp"

#include <exception>
#include <string>
#include <system_error>

#include <concerto/base/start_thread.hpp>

namespace concerto {

LocalShard::LocalShard(const Common& common, std::optional<Executor> given)
    : own_(given ? nullptr : std::make_unique<asio::io_context>(1)),
      executor_(given ? *given : own_->get_executor()),
      timers_(executor_, common.clock),
      random_(common.random != nullptr ? *common.random : system_random_),
      caller_(common.branches, common.user, executor_, timers_),
      observer_(common.observer) {
  if (own_) work_.emplace(executor_);
}

LocalShard::~LocalShard() {
  end();
}

ShardPorts LocalShard::ports() {
  return {executor_, timers_, caller_, random_, observer_};
}

void LocalShard::run() {
  if (!own_) return;
  const Result<> started = start_thread(thread_, "of a coordinator", [this] { run_here(); });
  if (!started) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            started.error().detail);
  }
}

/// A handler that throws belongs to a BranchCaller or a Store, and ends alone.
void LocalShard::run_here() {
  while (!own_->stopped()) {
    try {
      own_->run();
    } catch (const std::exception& thrown) {
      observer_.log(LogLevel::error, {}, std::string("a handler threw: ") + thrown.what());
    }
  }
}

void LocalShard::end() {
  if (!thread_.joinable()) return;
  asio::post(executor_, [this] { own_->stop(); });
  thread_.join();
}

}  // namespace concerto
