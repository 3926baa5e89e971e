#include "row_reads.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

Async<std::optional<StoredTrans>> RowReads::read(std::string gid, Claim how) {
  ClaimRow row{std::move(gid), how};
  auto start = [this, asked = std::move(row)](Completion<Answer> completion) mutable {
    Waiter waiter;
    waiter.row = std::move(asked);
    waiter.completion = std::move(completion);
    add(std::move(waiter));
  };
  return suspend<Answer>(start);
}

void RowReads::add(Waiter waiter) {
  if (tasks_.closing()) {
    return waiter.completion(
        Answer(make_error(EngineErrc::store_unavailable, "the store is closed")));
  }
  waiting_.push_back(std::move(waiter));
  if (running_ == limits_.statements_max) return;
  ++running_;
  tasks_.spawn(run());
}

void RowReads::answer_waiting(const Error& error) {
  std::deque<Waiter> waiting = std::exchange(waiting_, {});
  for (Waiter& waiter : waiting) waiter.completion(Answer(error));
}

Task<void> RowReads::stop() {
  co_await tasks_.join();
}

Task<void> RowReads::run() {
  while (!waiting_.empty()) {
    std::vector<Waiter> taken = take();
    std::vector<ClaimRow> rows;
    rows.reserve(taken.size());
    for (const Waiter& waiter : taken) rows.push_back(waiter.row);
    Result<std::vector<StoredTrans>> found = co_await read_(std::move(rows));
    std::unordered_map<std::string_view, StoredTrans*> by_gid;
    if (found) {
      for (StoredTrans& stored : *found) by_gid.emplace(stored.row.gid, &stored);
    }
    // An answer resumes its reader at once, which may move the row away; no name refers to it then.
    for (Waiter& waiter : taken) {
      if (!found) {
        waiter.completion(Answer(found.error()));
        continue;
      }
      const auto row = by_gid.find(waiter.row.gid);
      if (row == by_gid.end()) {
        waiter.completion(Answer(std::nullopt));
        continue;
      }
      StoredTrans* const stored = row->second;
      by_gid.erase(row);
      waiter.completion(Answer(std::move(*stored)));
    }
  }
  --running_;
}

/// Takes the rows of the next statement. A gid that is asked for twice is read twice, one statement
/// after the other: the second claim of a row may differ from the first.
std::vector<RowReads::Waiter> RowReads::take() {
  std::unordered_set<std::string_view> gids;
  std::vector<Waiter> taken;
  taken.reserve(std::min(waiting_.size(), limits_.rows_max));
  std::deque<Waiter> stays;
  for (Waiter& waiter : waiting_) {
    const bool has_room = taken.size() < limits_.rows_max;
    if (!has_room || gids.contains(waiter.row.gid)) {
      stays.push_back(std::move(waiter));
      continue;
    }
    taken.push_back(std::move(waiter));
    gids.insert(taken.back().row.gid);
  }
  waiting_ = std::move(stays);
  return taken;
}

}  // namespace concerto::persist
