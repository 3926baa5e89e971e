#include "store_core.hpp"

#include <algorithm>
#include <utility>

namespace concerto::persist {

StoreCore::StoreCore(LevelDbOptions store_options, const Clock& used_clock, Observer& used_observer,
                     StoreLock held, const StoreIdentity& identity)
    : options(std::move(store_options)),
      clock(used_clock),
      observer(used_observer),
      key(identity.key),
      lock(std::move(held)),
      env(options.disk != nullptr ? *options.disk : posix_disk(), options),
      disk(env.files),
      room(env.disk, options.path, {options.reserve_bytes, options.free_bytes_min},
           [this](LogLevel level, const std::string& text) { log(level, text); }),
      ledger(segments, identity.key, options.recent_bytes_max),
      committer(*this, {options.queue_bytes_max, options.queue_changes_max, {}}, clock, probe),
      retention_(options.retention) {
  env.disk.space().give_from([this](std::uint64_t wanted) {
    if (!check_place()) return false;
    const Result<bool> spare = env.log_env.give_up_spare();
    return (spare && *spare) || room.give_up_piece(wanted);
  });
}

// The files may be in use for longer than the reserves from which they get room.
StoreCore::~StoreCore() {
  env.disk.space().give_from(nullptr);
}

Result<> StoreCore::check_place() {
  Result<> there = lock.check();
  if (!there) env.leave_files(there.error());
  return there;
}

Result<> StoreCore::write(CommitGroup&) {
  const Ledger::Group group = ledger.take_group();
  CONCERTO_CHECK(begun_);
  const auto current = segments.current();
  Result<> appended = current->append(group.number, *group.value);
  if (!appended) {
    log(LogLevel::error, "the store takes no more writes: " + appended.error().detail);
    return appended;
  }
  unchecked_bytes.fetch_add(group.value->size(), std::memory_order_relaxed);
  segment_bytes_ += group.value->size();
  if (segment_bytes_ < options.segment_bytes && !is_past_age()) return ok();
  // This group is durable even if no new segment can be begun. The next group would not be.
  begun_ = begin_segment(group.number + 1);
  if (!begun_) log(LogLevel::error, "no new segment: " + begun_.error().detail);
  return ok();
}

bool StoreCore::is_past_age() {
  const WallTime now = clock.wall_now();
  return now - segments.opened_before(now) >= options.segment_age;
}

bool StoreCore::segment_waits_for_group() {
  const auto current = segments.current();
  return segments.facts_of(*current).finished_count > 0 && is_past_age();
}

Result<> StoreCore::begin_segment(std::uint64_t first_group) {
  // Until the segment's number is in the state, no other one may be prepared: it would get the same
  // number.
  const MutexLock hold(prepared_mutex_);
  CONCERTO_CHECK(check_place());
  SegmentState fresh;
  fresh.number = state().segments.back().number + 1;
  fresh.first_group = first_group;
  fresh.first_sequence = ledger.last_sequence() + 1;
  fresh.opened = clock.wall_now();
  auto segment = std::exchange(prepared_, nullptr);
  if (!segment) {
    CONCERTO_TRY(segment, Segment::create(env, segment_path(options.path, fresh.number), fresh));
  }
  segment->begin(fresh);
  CONCERTO_CHECK(change_state([&](StoreState& state) { state.segments.push_back(fresh); }));
  segments.add(std::move(segment), fresh);
  segment_bytes_ = 0;
  probe.segments_opened.fetch_add(1, std::memory_order_relaxed);
  segment_opened.store(true, std::memory_order_relaxed);
  return ok();
}

Result<> StoreCore::prepare_segment() {
  const MutexLock hold(prepared_mutex_);
  if (prepared_ || segment_bytes_ < options.segment_bytes / 2) return ok();
  SegmentState next;
  next.number = state().segments.back().number + 1;
  CONCERTO_TRY(prepared_, Segment::create(env, segment_path(options.path, next.number), next));
  return ok();
}

void StoreCore::release() {
  {
    const MutexLock hold(prepared_mutex_);
    if (prepared_) prepared_->drop();
    prepared_.reset();
  }
  segments.clear();
  lock = StoreLock{};
}

StoreRetention StoreCore::retention() const {
  const MutexLock hold(state_mutex_);
  return retention_;
}

void StoreCore::set_retention(const StoreRetention& retention) {
  const MutexLock hold(state_mutex_);
  retention_ = retention;
}

StoreState StoreCore::state() const {
  const MutexLock hold(state_mutex_);
  return state_;
}

Result<> StoreCore::write_state() {
  CONCERTO_CHECK(check_place());
  return replace_file(disk, state_path(options.path), encode(state_));
}

}  // namespace concerto::persist
