#include "filler.hpp"

#include <utility>

#include <concerto/base/task_group.hpp>

namespace concerto::bench {
namespace {

constexpr std::size_t page = 1'000;

}  // namespace

std::string Filler::fill(std::size_t count, std::size_t writers) {
  left_ = count;
  TaskGroup group(io_.get_executor());
  for (std::size_t i = 0; i < writers; ++i) group.spawn(write_in_turn());
  while (group.size() > 0) io_.run_one();
  return wrong_;
}

std::string Filler::check(std::size_t count, std::size_t distance) {
  const std::string wrong = run(load_sample(count, distance));
  if (!wrong.empty()) return wrong;
  return run(scan_unfinished(options_.kind == Kind::finished ? 0 : count));
}

std::string Filler::run(Task<void> task) {
  TaskGroup group(io_.get_executor());
  group.spawn(std::move(task));
  while (group.size() > 0) io_.run_one();
  return wrong_;
}

void Filler::note(const std::string& wrong) {
  if (wrong_.empty()) wrong_ = wrong;
}

Task<void> Filler::write_in_turn() {
  while (left_ > 0 && wrong_.empty()) {
    const Transaction trans = make_sample(--left_, options_);
    Change created;
    created.what = CreateTrans{&trans};
    Result<> done = co_await store_.commit(std::move(created));
    std::vector<Change> changes = changes_of(trans, options_);
    for (std::size_t i = 0; done && i < changes.size(); ++i) {
      done = co_await store_.commit(std::move(changes[i]));
    }
    if (!done) note(trans.gid.str() + " was not stored: " + done.error().detail);
  }
}

Task<void> Filler::load_sample(std::size_t count, std::size_t distance) {
  for (std::size_t number = 0; number < count; number += distance) {
    const auto found = co_await store_.load(sample_gid(number));
    const bool good = found && *found && is_sample(**found, number, options_);
    if (!good) note(sample_gid(number).str() + " is not stored as it was written");
  }
}

Task<void> Filler::scan_unfinished(std::size_t expected) {
  std::size_t seen = 0;
  std::uint64_t from = 0;
  do {
    const auto found = co_await store_.scan_unfinished(from, page);
    if (!found) co_return note("unfinished ones cannot be read: " + found.error().detail);
    for (const UnfinishedTrans& unfinished : found->transactions) {
      const bool good = unfinished.waits == (unfinished.status == TransStatus::submitted);
      if (!good) note(unfinished.gid.str() + " does not wait for its time");
    }
    seen += found->transactions.size();
    from = found->next;
  } while (from != 0);
  if (seen != expected) {
    note(std::to_string(seen) + " unfinished ones were found, not " + std::to_string(expected));
  }
}

}  // namespace concerto::bench
