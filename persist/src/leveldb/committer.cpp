#include "committer.hpp"

#include <utility>

#include <concerto/base/start_thread.hpp>

namespace concerto::persist {

Committer::Committer(Ledger& ledger, const Limits& limits, const Clock& clock, StoreProbe& probe,
                     Append append)
    : limits_(limits), clock_(clock), probe_(probe), append_(std::move(append)), batcher_(ledger) {}

Committer::~Committer() {
  stop();
}

Result<> Committer::start() {
  return start_thread(thread_, "that commits", [this] { run(); });
}

void Committer::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<> Committer::submit(CommitRequest& request) {
  request.bytes = sizeof(request) + request.record.payload.size();
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return make_error(EngineErrc::store_unavailable, "the store is closed");
    const bool fits = queued_bytes_ + request.bytes <= limits_.queue_bytes_max &&
                      queued_changes_ < limits_.queue_changes_max;
    const bool no_room = no_room_.load(std::memory_order_relaxed);
    if (request.kind == CommitRequest::Kind::create && (!fits || no_room)) {
      probe_.refused.fetch_add(1, std::memory_order_relaxed);
      return make_error(Errc::overloaded, no_room
                                              ? "the disk has no room for new transactions"
                                              : "the store has no room for new transactions now");
    }
    queue_.push(request);
    queued_bytes_ += request.bytes;
    ++queued_changes_;
    count_queue();
    wake = idle_ && queued_changes_ >= wake_at_;
    if (wake) idle_ = false;
  }
  if (wake) arrived_.notify_one();
  return ok();
}

Result<std::future<Result<>>> Committer::start_commit(CommitRequest& request) {
  request.promise = std::make_shared<std::promise<Result<>>>();
  auto answer = request.promise->get_future();
  CONCERTO_CHECK(submit(request));
  return answer;
}

Result<> Committer::commit_and_wait(CommitRequest& request) {
  CONCERTO_TRY(auto answer, start_commit(request));
  return answer.get();
}

void Committer::fail(const Error& error) {
  const MutexLock lock(mutex_);
  failed_.store(true, std::memory_order_relaxed);
  failure_ = error;
}

void Committer::count_queue() noexcept {
  probe_.queued_changes.store(queued_changes_, std::memory_order_relaxed);
  probe_.queued_bytes.store(queued_bytes_, std::memory_order_relaxed);
}

/// Takes the queue when there is one; false when everything is done and the store stops.
bool Committer::wait_for_work(UniqueLock& lock) {
  for (;;) {
    if (!taken_.empty()) return true;
    if (!queue_.empty()) {
      wait_for_company(lock);
      return true;
    }
    const auto due = batcher_.due();
    const SteadyTime now = clock_.steady_now();
    if (due && (stopping_ || *due <= now)) return true;
    if (stopping_) return false;
    idle_ = true;
    if (due) {
      arrived_.wait_for(lock, *due - now);
    } else {
      arrived_.wait(lock);
    }
  }
}

void Committer::wait_for_company(UniqueLock& lock) {
  const auto left = written_at_ + pace_.at_most - clock_.steady_now();
  if (queued_changes_ < pace_.changes && left.count() > 0 && !stopping_) {
    idle_ = true;
    wake_at_ = pace_.changes;
    const auto end = std::chrono::steady_clock::now() + left;
    while (queued_changes_ < pace_.changes && !stopping_ && arrived_.wait_until(lock, end)) {
    }
    idle_ = false;
    wake_at_ = 1;
  }
  pace_ = {};
}

void Committer::run() {
  Answers answers;
  UniqueLock lock(mutex_);
  while (wait_for_work(lock)) {
    if (taken_.empty()) {
      taken_ = std::exchange(queue_, {});
      queued_bytes_ = queued_changes_ = 0;
      count_queue();
    }
    if (failure_ && !batcher_.failed()) batcher_.fail(*failure_);
    const bool stopping = stopping_;
    lock.unlock();
    const std::size_t added = batcher_.gather(taken_, clock_.steady_now(), answers);
    probe_.changes.fetch_add(added, std::memory_order_relaxed);
    group_changes_ += added;
    answers.send();
    const auto due = batcher_.due();
    if (due && (stopping || *due <= clock_.steady_now())) write_group(answers);
    lock.lock();
  }
}

void Committer::write_group(Answers& answers) {
  const Ledger::Group group = batcher_.take();
  const SteadyTime begin = clock_.steady_now();
  const Result<> written = append_(group);
  written_at_ = clock_.steady_now();
  probe_.add_sync(written_at_ - begin);
  probe_.add_group(std::exchange(group_changes_, 0));
  probe_.groups.fetch_add(1, std::memory_order_relaxed);
  probe_.bytes.fetch_add(group.value->size(), std::memory_order_relaxed);
  if (!written) failed_.store(true, std::memory_order_relaxed);
  pace_ = pace_after(batcher_.written(written, answers), written_at_ - begin);
  answers.send();
}

}  // namespace concerto::persist
