#include "commit_lanes.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

#include <concerto/base/assert.hpp>

#include "commit_entry.hpp"

namespace concerto::persist {
namespace {

bool is_barrier(const RowRequest& request) noexcept {
  return std::holds_alternative<std::monostate>(request.rows);
}

bool is_barrier_of_all(const RowRequest& request) noexcept {
  return is_barrier(request) && request.gid.empty();
}

/// Whether a change failed for a reason of the database's, not for what is stored.
bool is_trouble(const Error& error) noexcept {
  return error.code == EngineErrc::store_busy || error.code == EngineErrc::store_failed ||
         error.code == EngineErrc::store_unavailable || error.code == Errc::invalid_request;
}

}  // namespace

CommitLanes::CommitLanes(Executor executor, SqlPool& pool, const Limits& limits,
                         std::string this_node, const Clock& clock, Observer& observer,
                         StoreProbe& probe, SqlWatch& watch)
    : executor_(executor),
      pool_(pool),
      limits_(limits),
      this_node_(std::move(this_node)),
      clock_(clock),
      observer_(observer),
      probe_(probe),
      watch_(watch),
      tasks_(executor) {
  for (std::size_t i = 0; i < limits_.lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(executor));
  }
}

CommitLanes::~CommitLanes() = default;

void CommitLanes::start() {
  for (const auto& lane : lanes_) tasks_.spawn(run(*lane));
}

Task<void> CommitLanes::stop() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  arrive();
  stopping_ = true;
  for (const auto& lane : lanes_) {
    lane->arrived.notify_all();
    lane->timer.cancel();
  }
  co_await tasks_.join();
}

Async<> CommitLanes::commit(RowRequest& request, const Executor& executor) {
  request.executor = executor;
  auto start = [this, &request](Completion<Result<>> completion) {
    request.completion = std::move(completion);
    const Result<> queued = queue(request);
    if (queued) return;
    asio::post(*request.executor,
               [waiter = std::move(request.completion), queued]() mutable { waiter(queued); });
  };
  return suspend<Result<>>(start);
}

Result<> CommitLanes::commit_progress(std::unique_ptr<RowRequest> request) {
  CONCERTO_CHECK(queue(*request));
  request.release();  // `finish` deletes it.
  return ok();
}

Result<> CommitLanes::queue(RowRequest& request) {
  request.queued_at = clock_.steady_now();
  const MutexLock lock(mutex_);
  if (closed_) return make_error(EngineErrc::store_unavailable, "the store is closed");
  const bool is_full = queued_changes_ >= limits_.queue_changes_max ||
                       queued_bytes_ + request.bytes > limits_.queue_bytes_max;
  if (is_full && request.creates) {
    probe_.refused.fetch_add(1, std::memory_order_relaxed);
    return make_error(Errc::overloaded, "too many changes wait for the database");
  }
  ++queued_changes_;
  queued_bytes_ += request.bytes;
  count_queue();
  const bool is_first = arrived_.empty();
  arrived_.push(request);
  if (is_first) asio::post(executor_, [this] { arrive(); });
  return ok();
}

void CommitLanes::arrive() {
  RequestList arrived;
  {
    const MutexLock lock(mutex_);
    std::swap(arrived, arrived_);
  }
  Answers refused;
  const SteadyTime now = clock_.steady_now();
  while (!arrived.empty()) {
    auto& request = static_cast<RowRequest&>(arrived.pop());
    ++pending_[request.gid];
    // Nobody waits for a database that is away, except the one request that tries again.
    Lane& lane = lane_of(request.gid);
    if (pool_.away() && !is_progress(request) && would_wait(lane, now)) {
      finish(request, store_error(*pool_.away()), refused);
      continue;
    }
    put(lane, request);
  }
  refused.send();
}

/// Whether a group is under way, or the last one has failed just now.
bool CommitLanes::would_wait(const Lane& lane, SteadyTime now) {
  return !lane.is_idle || now < lane.not_before;
}

void CommitLanes::put(Lane& lane, RowRequest& request) {
  lane.queue.push_back(&request);
  if (!lane.is_idle) return;
  lane.arrived.notify_all();
}

CommitLanes::Lane& CommitLanes::lane_of(std::string_view gid) {
  return *lanes_[std::hash<std::string_view>{}(gid) % lanes_.size()];
}

Async<> CommitLanes::settle(std::string gid) {
  if (pool_.is_gate_closed()) co_return store_error(*pool_.away());
  if (!pending_.contains(gid)) co_return ok();
  Lane& lane = lane_of(gid);
  co_return co_await pass(lane, std::move(gid));
}

Async<> CommitLanes::settle_all() {
  if (pool_.is_gate_closed()) co_return store_error(*pool_.away());
  for (const auto& lane : lanes_) {
    if (stopping_) co_return make_error(EngineErrc::store_unavailable, "the store is closed");
    if (lane->is_idle && lane->queue.empty()) continue;
    CONCERTO_CO_CHECK(co_await pass(*lane, {}));
  }
  co_return ok();
}

/// Returns when a request that changes nothing has passed through the lane.
Async<> CommitLanes::pass(Lane& lane, std::string gid) {
  RowRequest barrier;
  barrier.gid = std::move(gid);
  const std::size_t of_one = barrier.gid.empty() ? 0 : 1;
  lane.barriers += of_one;
  barrier.executor = executor_;
  auto start = [this, &lane, &barrier](Completion<Result<>> completion) {
    barrier.completion = std::move(completion);
    barrier.queued_at = clock_.steady_now();
    {
      const MutexLock lock(mutex_);
      ++queued_changes_;
      count_queue();
    }
    ++pending_[barrier.gid];
    put(lane, barrier);
  };
  Result<> passed = co_await suspend<Result<>>(start);
  lane.barriers -= of_one;
  co_return passed;
}

Task<void> CommitLanes::run(Lane& lane) {
  for (;;) {
    co_await wait_for_work(lane);
    if (lane.queue.empty()) co_return;
    std::list<Entry> group;
    gather(lane, group);
    if (group.empty()) continue;
    Entries entries;
    for (Entry& entry : group) entries.push_back(&entry);
    const SteadyTime begun = clock_.steady_now();
    co_await write(lane, std::move(entries));
    probe_.groups.fetch_add(1, std::memory_order_relaxed);
    probe_.changes.fetch_add(group.size(), std::memory_order_relaxed);
    probe_.add_group(group.size());
    probe_.add_sync(clock_.steady_now() - begun);
    answer(lane, group);
  }
}

/// Returns when a group is to be written, or when there is nothing to do any more.
Task<void> CommitLanes::wait_for_work(Lane& lane) {
  lane.is_idle = true;
  for (;;) {
    if (lane.queue.empty() && stopping_) break;
    if (!lane.queue.empty()) {
      const SteadyTime due =
          std::max(lane.queue.front()->queued_at + limits_.progress_delay_max, lane.not_before);
      if (stopping_ || due <= clock_.steady_now()) break;
      const bool only_progress = std::ranges::all_of(
          lane.queue, [](const RowRequest* request) { return is_progress(*request); });
      if (!only_progress) break;
      lane.timer.expires_at(due);
      lane.timer.async_wait([&lane](const error_code& error) {
        if (!error) lane.arrived.notify_all();
      });
    }
    ignore_error(Result<bool>(co_await lane.arrived.wait()), "the loop looks for itself");
  }
  lane.timer.cancel();
  lane.is_idle = false;
}

/// Takes a group out of the queue. What has to wait for an earlier change of its gid stays there.
/// A long queue is not gone through for each group, but for barriers that can be answered.
void CommitLanes::gather(Lane& lane, std::list<Entry>& group) {
  std::unordered_map<std::string_view, Entry*> taken;  // Null: the gid's later requests stay.
  std::deque<RowRequest*> stays;
  std::size_t changes = 0, bytes = 0;
  Answers answers;
  std::size_t seen = 0;
  for (; seen < lane.queue.size(); ++seen) {
    const bool has_room = changes < limits_.group_changes_max && bytes < limits_.group_bytes_max;
    if (!has_room && lane.barriers == 0) break;
    RowRequest* request = lane.queue[seen];
    if (is_barrier_of_all(*request)) {
      const bool is_first = group.empty() && stays.empty();
      if (is_first) {
        finish(*request, ok(), answers);
      } else {
        stays.push_back(request);
      }
      continue;
    }
    const auto found = taken.find(request->gid);
    const bool is_new = found == taken.end();
    if (is_new && is_barrier(*request)) {
      finish(*request, ok(), answers);
      continue;
    }
    if (is_new && has_room) {
      group.emplace_back().requests.push_back(request);
      taken.emplace(request->gid, &group.back());
    } else if (is_new || found->second == nullptr || is_barrier(*request) || !has_room ||
               !join(*found->second, *request)) {
      taken[request->gid] = nullptr;
      stays.push_back(request);
      continue;
    }
    ++changes;
    bytes += request->bytes;
  }
  lane.queue.erase(lane.queue.begin(), lane.queue.begin() + static_cast<std::ptrdiff_t>(seen));
  lane.queue.insert(lane.queue.begin(), stays.begin(), stays.end());
  answers.send();
}

/// Adds a request to the entry of its gid, if one statement can make both changes.
bool CommitLanes::join(Entry& entry, RowRequest& request) {
  const auto* later = std::get_if<UpdateRows>(&request.rows);
  if (later == nullptr || entry.update() == nullptr) return false;
  UpdateRows merged = *entry.update();
  if (!merge(merged, *later)) return false;
  entry.merged = std::move(merged);
  entry.requests.push_back(&request);
  return true;
}

/// Answers who waits in the queue while the database is away. Progress stays.
void CommitLanes::answer_queued(Lane& lane, const Error& error) {
  Answers answers;
  std::erase_if(lane.queue, [&](RowRequest* request) {
    if (is_progress(*request)) return false;
    finish(*request, error, answers);
    return true;
  });
  answers.send();
}

void CommitLanes::answer_waiting(const Error& error) {
  for (const auto& lane : lanes_) answer_queued(*lane, error);
}

void CommitLanes::answer(Lane& lane, std::list<Entry>& group) {
  Answers answers;
  std::deque<RowRequest*> again;
  std::optional<Error> why_busy;
  for (Entry& entry : group) {
    const bool busy = entry.was_not_made();
    if (busy) why_busy = entry.outcome.error();
    for (RowRequest* request : entry.requests) {
      if (busy && is_progress(*request) && !stopping_) {
        again.push_back(request);
      } else {
        finish(*request, entry.outcome, answers);
      }
    }
  }
  if (why_busy) {
    put_back(lane, again, *why_busy, answers);
    lane.not_before = clock_.steady_now() + limits_.retry_after;
  }
  answers.send();
}

/// Progress that could not be written waits. What is queued behind it must not: the lane would try
/// it at once, again and again, because only a group of progress alone waits.
void CommitLanes::put_back(Lane& lane, const std::deque<RowRequest*>& progress, const Error& error,
                           Answers& answers) {
  std::unordered_set<std::string_view> gids;
  for (const RowRequest* request : progress) gids.insert(request->gid);
  if (!progress.empty()) gids.insert(std::string_view());  // a barrier of all gids
  std::erase_if(lane.queue, [&](RowRequest* request) {
    if (is_progress(*request) || !gids.contains(request->gid)) return false;
    finish(*request, error, answers);
    return true;
  });
  lane.queue.insert(lane.queue.begin(), progress.begin(), progress.end());
}

void CommitLanes::count_queue() noexcept {
  probe_.queued_changes.store(queued_changes_, std::memory_order_relaxed);
  probe_.queued_bytes.store(queued_bytes_, std::memory_order_relaxed);
}

/// After the call, a request of progress does not exist any more.
void CommitLanes::finish(RowRequest& request, const Result<>& result, Answers& answers) {
  const auto pending = pending_.find(request.gid);
  CONCERTO_ASSERT(pending != pending_.end());
  if (--pending->second == 0) pending_.erase(pending);
  {
    const MutexLock lock(mutex_);
    --queued_changes_;
    queued_bytes_ -= request.bytes;
    count_queue();
  }
  if (!result && !is_barrier(request) && is_trouble(result.error())) watch_.change_failed();
  if (!is_progress(request)) return answers.add(request, result);
  const std::unique_ptr<RowRequest> owned(&request);
  if (!result) {
    observer_.log(LogLevel::debug, request.gid,
                  "progress that is not stored: " + result.error().detail);
  }
}

}  // namespace concerto::persist
