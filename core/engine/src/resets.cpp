#include "resets.hpp"

#include <algorithm>
#include <utility>

namespace concerto {
namespace {

/// How many transactions are tried at a time.
constexpr std::size_t at_once_max = 32;

}  // namespace

bool concerns_all(const error_code& code) {
  return code == Errc::shutting_down || code == EngineErrc::store_busy ||
         code == EngineErrc::store_failed || code == EngineErrc::store_unavailable ||
         code == EngineErrc::store_late;
}

Task<Resets::Tally> Resets::try_now(std::vector<Gid> gids, RequestContext context) {
  // Shared: a request may be cancelled while its transactions are tried.
  const auto work = std::make_shared<Work>();
  std::reverse(gids.begin(), gids.end());
  work->left = std::move(gids);
  const std::size_t tasks = std::min(at_once_max, work->left.size());
  for (std::size_t i = 0; i < tasks; ++i) {
    ++work->running;
    if (tasks_.spawn(run(work, context))) continue;
    --work->running;
    work->tally.trouble = shutting_down();
    break;
  }
  while (work->running > 0) {
    const bool notified = co_await ended_.wait();
    if (!notified) {
      work->left.clear();
      work->tally.trouble = shutting_down();
      break;
    }
  }
  co_return work->tally;
}

Task<void> Resets::run(std::shared_ptr<Work> work, RequestContext context) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Tally& tally = work->tally;
  while (!work->left.empty() && tally.trouble) {
    Gid gid = std::move(work->left.back());
    work->left.pop_back();
    const Result<> done = co_await requests_.reset_next_cron_time(gid, context);
    if (done) {
      ++tally.count;
    } else if (concerns_all(done.error().code)) {
      tally.trouble = done.error();
    } else {
      tally.passed_over.push_back(std::move(gid));
    }
  }
  --work->running;
  ended_.notify_all();
}

}  // namespace concerto
