#include "runner.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "bank.hpp"

namespace concerto::load {
namespace {

/// A client whose transaction failed waits before it begins the next one.
constexpr std::chrono::milliseconds pause_after_failure{20};
/// When an open loop is late, it begins so many transactions before it looks at what has arrived.
constexpr std::size_t begun_at_once_max = 64;
constexpr std::chrono::milliseconds look_interval{100};

/// What a caller with wait_result is told of a saga that is not finished (protocol page 02, section
/// 5.3).
constexpr std::string_view not_finished = "wait result not return success";

/// Whether a transaction was not answered with a success because it fails on purpose. `text`: what
/// the client was told.
bool is_on_purpose(const Purposes& purposes, std::uint64_t number, std::string_view text) {
  const auto says = [text](std::string_view what) { return text.find(what) != text.npos; };
  return (purposes.fails(number) && says(Bank::refusal_on_purpose)) ||
         (purposes.errs(number) && (says(Bank::error_on_purpose) || says(not_finished)));
}

SteadyTime::duration duration_of(double seconds) {
  return std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Runner::Runner(Executor executor, Timers& timers, const LoadOptions& options,
               const Scenario& scenario, CoordinatorClient& client, CallLedger& ledger,
               Tally& tally, CheckFindings& findings)
    : executor_(std::move(executor)),
      timers_(timers),
      options_(options),
      ends_with_reply_(scenario.ends_with_reply),
      client_(client),
      ledger_(ledger),
      tally_(tally),
      findings_(findings) {}

Task<void> Runner::offer(Period period) {
  until_ = timers_.now() + duration_of(period.seconds);
  left_ = period.transactions > 0 ? period.transactions : std::numeric_limits<std::uint64_t>::max();
  return options_.rate > 0 ? keep_rate() : keep_in_flight();
}

bool Runner::may_begin(SteadyTime now) const {
  return !stopped_ && left_ > 0 && now < until_;
}

Task<void> Runner::keep_rate() {
  TaskGroup callers(executor_);
  const SteadyTime begin = timers_.now();
  SteadyTime next = begin;
  for (double number = 1; may_begin(next);) {
    const SteadyTime now = timers_.now();
    for (std::size_t i = 0; i < begun_at_once_max && next <= now && may_begin(next); ++i) {
      --left_;
      if (callers.size() < in_flight_max) {
        callers.spawn(begin_one(next));
      } else {
        note_failure(ledger_.begin(), "not begun: too many in flight");
      }
      next = begin + duration_of(number++ / options_.rate);
    }
    // The load may be stopped meanwhile, so the sleep is never long.
    const SteadyTime wake = std::min(std::min(next, until_), timers_.now() + look_interval);
    co_await sleep_until(timers_, wake);
  }
  co_await callers.join();
}

Task<void> Runner::keep_in_flight() {
  TaskGroup callers(executor_);
  for (std::size_t i = 0; i < options_.in_flight; ++i) callers.spawn(begin_in_turn());
  co_await callers.join();
}

Task<void> Runner::begin_in_turn() {
  for (SteadyTime now = timers_.now(); may_begin(now); now = timers_.now()) {
    --left_;
    const std::uint64_t number = ledger_.begin();
    const bool acknowledged = co_await try_one(number, now);
    if (!acknowledged) co_await sleep_until(timers_, timers_.now() + pause_after_failure);
  }
}

Task<void> Runner::begin_one(SteadyTime begin) {
  const std::uint64_t number = ledger_.begin();
  co_await try_one(number, begin);
}

Task<bool> Runner::try_one(std::uint64_t number, SteadyTime begin) {
  const bool fails = ledger_.purposes().fails(number);
  const Result<> answer = co_await client_.carry_out(ledger_.gid(number), fails);
  if (!answer && !is_on_purpose(ledger_.purposes(), number, answer.error().detail)) {
    note_failure(number, answer.error().detail);
    co_return false;
  }
  note_end(number, begin, answer);
  co_return true;
}

void Runner::note_end(std::uint64_t number, SteadyTime begin, const Result<>& answer) {
  const bool fails = ledger_.purposes().fails(number);
  ledger_.acknowledge(number);
  // An answer with an error on purpose says only that the transaction is stored.
  const bool has_ended = answer || (fails && !ledger_.purposes().errs(number));
  if (has_ended) tally_.note_end(begin, timers_.now(), fails);
  if (answer && ends_with_reply_ && !ledger_.complete(number)) {
    findings_.note(ledger_.gid(number), Wrong::calls,
                   "acknowledged too early: " + ledger_.describe(number));
    ledger_.tell(number);
  }
}

void Runner::note_failure(std::uint64_t number, std::string_view text) {
  tally_.note_failure(ledger_.gid(number), text);
  if (tally_.failures().count() > options_.failures_max) stop();
}

}  // namespace concerto::load
