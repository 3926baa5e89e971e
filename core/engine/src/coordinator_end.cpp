#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <concerto/base/io_thread.hpp>
#include <concerto/engine/coordinator.hpp>

#include "engine.hpp"
#include "reset_rounds.hpp"
#include "shared_rounds.hpp"
#include "topics.hpp"

namespace concerto {
namespace {

/// How often the destructor asks whether the threads of the shards have ended everything.
constexpr std::chrono::milliseconds end_poll{1};

}  // namespace

Coordinator::~Coordinator() {
  if (!is_idle()) end_here();
}

bool Coordinator::is_idle() const noexcept {
  return std::all_of(engines_.begin(), engines_.end(),
                     [](const auto& engine) { return engine->is_idle(); });
}

/// Stops at once, without a caller that waits: on the threads that run the shards, or here if none
/// does.
void Coordinator::end_here() {
  std::vector<Executor> shards;
  for (const auto& engine : engines_) shards.push_back(engine->executor());
  const auto has_stopped = std::make_shared<std::atomic<bool>>(false);
  const bool is_run_elsewhere = is_run_by_another_thread(shards.front());
  asio::co_spawn(shards.front(), stop(clock_.steady_now()),
                 [has_stopped](const std::exception_ptr&) { has_stopped->store(true); });
  const auto has_ended = [&] { return has_stopped->load() && is_idle(); };
  if (is_run_elsewhere) {
    while (!has_ended()) std::this_thread::sleep_for(end_poll);
    return;
  }
  run_until(shards, has_ended, [this] {
    for (auto& engine : engines_) engine->cancel();
  });
}

}  // namespace concerto
