#include "committer.hpp"

#include <utility>

#include <concerto/base/start_thread.hpp>

namespace concerto::persist {

Committer::Committer(GroupSink& sink, const Limits& limits, const Clock& clock, StoreProbe& probe)
    : sink_(sink), limits_(limits), clock_(clock), probe_(probe), batcher_(sink, limits.group) {}

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

Async<> Committer::commit(CommitRequest& request, const Executor& executor) {
  auto start = [this, &request, &executor](Completion<Result<>> completion) {
    request.executor = executor;
    request.completion = std::move(completion);
    Result<> queued = queue(request);
    if (queued) return;
    Answers refused;
    refused.add(request, std::move(queued));
    refused.send();
  };
  return suspend<Result<>>(start);
}

Result<> Committer::queue(CommitRequest& request) {
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return make_error(EngineErrc::store_unavailable, "the store is closed");
    const bool fits = queued_bytes_ + request.bytes <= limits_.queue_bytes_max &&
                      queued_changes_ < limits_.queue_changes_max;
    if (request.creates && (!fits || !sink_.has_room())) {
      probe_.refused.fetch_add(1, std::memory_order_relaxed);
      return make_error(Errc::overloaded, fits ? "the disk has no room for new transactions"
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
  CONCERTO_CHECK(queue(request));
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

/// Waits until there are changes to gather or a group is due. False when the committer stops and
/// everything is written.
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

/// Waits for more changes in the queue, as the pace says.
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
    answers.send();
    const auto due = batcher_.due();
    if (due && (stopping || *due <= clock_.steady_now())) write_group(answers);
    lock.lock();
  }
}

void Committer::write_group(Answers& answers) {
  const SteadyTime begin = clock_.steady_now();
  batcher_.write();
  written_at_ = clock_.steady_now();
  const auto took = written_at_ - begin;
  probe_.add_sync(took);
  probe_.add_group(batcher_.group().changes());
  probe_.groups.fetch_add(1, std::memory_order_relaxed);
  probe_.bytes.fetch_add(batcher_.group().bytes(), std::memory_order_relaxed);
  if (batcher_.failed()) failed_.store(true, std::memory_order_relaxed);
  pace_ = pace_after(batcher_.answer(answers), took);
  answers.send();
}

}  // namespace concerto::persist
