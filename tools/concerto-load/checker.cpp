#include "checker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <concerto/base/task_group.hpp>
#include <concerto/protocol/answer_messages.hpp>

#include "coordinator_client.hpp"

namespace concerto::load {
namespace {

constexpr std::chrono::milliseconds poll_interval{20};
/// After so many queries without an answer the others are not sent.
constexpr std::size_t unanswered_max = 5;
constexpr std::size_t shown_chars_max = 600;

/// Whether all branches of the final op are stored as succeeded, and enough of them are there.
bool branches_succeeded(const std::string& final_op, std::size_t branch_count,
                        const Transaction& trans) {
  std::size_t count = 0;
  for (const Branch& branch : trans.branches) {
    if (branch.op != final_op) continue;
    if (branch.status != BranchStatus::succeed) return false;
    ++count;
  }
  return count >= branch_count;
}

}  // namespace

Stored judge_stored(const Scenario& scenario, bool fails, const std::string& answer) {
  const auto read = net::query_from_json(answer, ModeTable::standard());
  if (!read) return Stored::wrong;
  if (!*read) return Stored::lost;
  const Transaction& trans = **read;
  const bool unfinished = trans.status == TransStatus::prepared ||
                          trans.status == TransStatus::submitted ||
                          (fails && trans.status == TransStatus::aborting);
  if (unfinished) return Stored::unfinished;
  const bool right = trans.status == (fails ? TransStatus::failed : TransStatus::succeed) &&
                     branches_succeeded(fails ? scenario.final_op_back : scenario.final_op,
                                        scenario.branch_count, trans);
  return right ? Stored::as_it_must_be : Stored::wrong;
}

Checker::Checker(Executor executor, Timers& timers, net::HttpClient& http,
                 const LoadOptions& options, const Scenario& scenario, CallLedger& ledger,
                 CheckFindings& findings)
    : executor_(std::move(executor)),
      timers_(timers),
      http_(http),
      options_(options),
      scenario_(scenario),
      ledger_(ledger),
      findings_(findings) {}

Task<void> Checker::run() {
  using Drain = std::chrono::duration<double>;
  deadline_ = timers_.now() +
              std::chrono::duration_cast<SteadyTime::duration>(Drain(options_.drain_seconds));
  co_await drain();
  check_calls();
  choose();
  TaskGroup workers(executor_);
  for (std::size_t i = 0; i < workers_count; ++i) workers.spawn(query_in_turn());
  co_await workers.join();
}

Task<void> Checker::drain() {
  const SteadyTime begin = timers_.now();
  while (ledger_.incomplete_count() > 0 && timers_.now() < deadline_) {
    co_await sleep_until(timers_, timers_.now() + poll_interval);
  }
  drain_seconds_ = std::chrono::duration<double>(timers_.now() - begin).count();
}

void Checker::check_calls() {
  if (ledger_.incomplete_count() == 0) return;
  for (std::uint64_t number = 0; number < ledger_.begun(); ++number) {
    if (!ledger_.incomplete(number)) continue;
    findings_.note(ledger_.gid(number), Wrong::calls, ledger_.describe(number));
  }
}

void Checker::choose() {
  if (options_.check == QueriedAtEnd::none) return;
  const std::uint64_t acknowledged = ledger_.acknowledged_count();
  const bool sampled = options_.check == QueriedAtEnd::sample && acknowledged > sampled_above;
  const std::uint64_t wanted = sampled ? sample_count : acknowledged;
  std::uint64_t seen = 0;
  for (std::uint64_t number = 0; number < ledger_.begun(); ++number) {
    if (!ledger_.acknowledged(number)) continue;
    // At even distances: whenever the next one of the wanted number is due.
    if (++seen * wanted / acknowledged > numbers_.size()) numbers_.push_back(number);
  }
}

Task<void> Checker::query_in_turn() {
  while (next_ < numbers_.size() && unanswered_ < unanswered_max) {
    const std::uint64_t number = numbers_[next_++];
    co_await query_one(number);
  }
}

bool Checker::may_end_later(std::uint64_t number) const {
  return !scenario_.ends_with_reply || ledger_.purposes().fails(number) ||
         ledger_.purposes().errs(number);
}

Task<void> Checker::query_one(std::uint64_t number) {
  const std::string gid = ledger_.gid(number);
  const bool fails = ledger_.purposes().fails(number);
  for (;;) {
    const bool is_last = timers_.now() >= deadline_;
    const Result<std::string> answer = co_await query(gid);
    const Stored stored = answer ? judge_stored(scenario_, fails, *answer) : Stored::unfinished;
    const bool may_change = stored == Stored::unfinished && may_end_later(number);
    if (answer && (!may_change || is_last)) {
      ++queried_;
      note_stored(gid, stored, *answer);
      co_return;
    }
    if (is_last) {
      ++unanswered_;
      findings_.note(gid, Wrong::not_known, "not known: " + answer.error().detail);
      co_return;
    }
    co_await sleep_until(timers_, timers_.now() + poll_interval);
  }
}

void Checker::note_stored(const std::string& gid, Stored stored, const std::string& answer) {
  if (stored == Stored::as_it_must_be) return;
  const Wrong wrong = stored == Stored::lost         ? Wrong::lost
                      : stored == Stored::unfinished ? Wrong::unfinished
                                                     : Wrong::status;
  findings_.note(gid, wrong, "stored as " + answer.substr(0, shown_chars_max));
}

Async<std::string> Checker::query(std::string gid) {
  net::HttpClientRequest request;
  request.headers = access_headers(options_.access);
  request.url = options_.http_root() + "/api/dtmsvr/query?gid=" + gid;
  auto answer = co_await http_.send(std::move(request), timers_.now() + request_limit);
  if (!answer) co_return answer.error();
  const auto received = net::answer_from_http(answer->status, answer->headers, answer->body);
  if (received.ok()) co_return std::move(answer->body);
  co_return make_error(EngineErrc::branch_error,
                       "HTTP " + std::to_string(answer->status) + ": " + received.text);
}

}  // namespace concerto::load
