#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>

#include <concerto/base/notifier.hpp>

#include "migration.hpp"

/// How a Migration writes transactions into the target.
namespace concerto::tools {
namespace {

/// How often, and after which pause, something is written again that the target did not take.
constexpr int attempts_max = 60;
constexpr std::chrono::milliseconds attempt_pause{500};

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

struct Written {
  const Transaction* trans;
  Result<> outcome;
};

/// Creates all of them at the same time, so that they share groups.
Task<void> create_all(persist::StoreMoves& store, std::vector<Written>& all) {
  const Executor executor = co_await asio::this_coro::executor;
  Notifier ended(executor);
  std::size_t left = all.size();
  std::exception_ptr bug;
  for (Written& one : all) {
    asio::co_spawn(executor, store.create_at_rest(*one.trans),
                   [&one, &left, &ended, &bug](const std::exception_ptr& error, Result<> outcome) {
                     one.outcome = std::move(outcome);
                     if (error) bug = error;
                     if (--left == 0) ended.notify_all();
                   });
  }
  while (left > 0) {
    const bool notified = co_await ended.wait();
    if (!notified) break;
  }
  if (bug) std::rethrow_exception(bug);
}

bool may_be_tried_again(const Error& error) {
  return error.code == Condition::retry_later || error.code == EngineErrc::store_failed;
}

Error about(const Transaction& trans, Error error) {
  error.detail = "transaction '" + trans.gid.str() + "': " + error.detail;
  return error;
}

}  // namespace

Async<bool> Migration::copy() {
  const auto& pages = report_.source.pages;
  CONCERTO_CO_TRY(const std::size_t done, co_await pages_done());
  progress_.begin(options_.only_counts ? "checking what fits" : "copying", report_.source.count);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::string position = pages[pages.size() - 1 - i].position;
    auto page = co_await read_whole_page(source_.store, position);
    if (!page) co_return at(source_, std::move(page).error());
    std::ranges::reverse(page->transactions);
    const bool fits = prepare(page->transactions);
    if (!fits && !options_.only_counts) co_return false;
    if (i < done) report_.found_there += page->transactions.size();
    if (i >= done && !options_.only_counts) {
      CONCERTO_CO_CHECK(co_await write(page->transactions));
    }
    progress_.advance(page->transactions.size());
  }
  progress_.end();
  co_return report_.end == MigrationReport::End::done;
}

/// How many pages, counted from the oldest, an earlier run has certainly written. With `adds`, the
/// target may have any of them from elsewhere, so that each page is compared.
Async<std::size_t> Migration::pages_done() {
  const auto& pages = report_.source.pages;
  std::size_t low = 0, high = goes_on_ && !options_.adds ? pages.size() : 0;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto found = co_await target_.store.load(pages[pages.size() - 1 - middle].oldest);
    if (!found) co_return at(target_, found.error());
    if (*found) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  // The last page with its oldest transaction may be written in part. Pages begin elsewhere if
  // the source has changed since; then that part may begin in the page before.
  co_return low <= 2 ? 0 : low - 2;
}

/// Remembers the checksums of what is copied. False if something does not fit into the target.
bool Migration::prepare(std::vector<Transaction>& batch) {
  const bool is_shared = source_.store.ownership() != nullptr;
  bool fits = true;
  for (Transaction& trans : batch) {
    MovedTable::Entry& entry = moved_.add(trans.gid);
    entry.in_source = checksum(trans, Waits::ignored);
    entry.is_finished = is_final(trans.status);
    report_.transactions_sum += entry.in_source;
    // Nobody works on the source. So what has a time to come rests until then, also if its row
    // does not say so, as the reference's do not.
    const WallTime now = options_.only_counts ? clock_.wall_now() : began_;
    if (is_shared && persist::was_in_work(trans) && trans.next_cron_time > now) trans.waits = true;
    const auto kept = (*target_.moves).as_kept(trans);
    if (kept) {
      entry.in_target = checksum(*kept, Waits::counts);
      continue;
    }
    fits = false;
    add_problem("'" + trans.gid.str() + "' does not fit into " + target_.place + ": " +
                kept.error().detail);
  }
  return fits;
}

Async<> Migration::write(const std::vector<Transaction>& batch) {
  std::vector<Written> left;
  for (const Transaction& trans : batch) left.push_back({&trans, ok()});
  const Executor executor = co_await asio::this_coro::executor;
  Timer timer(executor);
  for (int attempt = 1;; ++attempt) {
    co_await create_all(*target_.moves, left);
    std::vector<Written> again;
    for (const Written& one : left) {
      if (one.outcome) {
        ++report_.copied;
      } else if (one.outcome.error().code == EngineErrc::gid_exists) {
        CONCERTO_CO_CHECK(co_await compare_existing(*one.trans));
      } else if (attempt < attempts_max && may_be_tried_again(one.outcome.error())) {
        again.push_back(one);
      } else {
        co_return at(target_, about(*one.trans, one.outcome.error()));
      }
    }
    if (again.empty()) co_return ok();
    left = std::move(again);
    timer.expires_after(attempt_pause);
    co_await timer.async_wait(use_task);
  }
}

/// What is there already must be what was to be written.
Async<> Migration::compare_existing(const Transaction& trans) {
  const auto found = co_await target_.store.load(trans.gid);
  if (!found) co_return at(target_, found.error());
  const MovedTable::Entry* const entry = moved_.find(trans.gid);
  if (*found && checksum(**found, Waits::counts) == entry->in_target) {
    ++report_.found_there;
    co_return ok();
  }
  co_return at(target_,
               make_error(EngineErrc::gid_exists, "'" + trans.gid.str() + "'" + how_it_differs()));
}

}  // namespace concerto::tools
