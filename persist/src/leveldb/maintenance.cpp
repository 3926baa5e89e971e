#include "maintenance.hpp"

#include <algorithm>
#include <list>
#include <map>

#include <concerto/base/start_thread.hpp>

#include "background_thread.hpp"

namespace concerto::persist {
namespace {

/// How often the thread looks for work.
constexpr std::chrono::milliseconds look_interval{250};
constexpr int looks_between_measures = 20;
/// A transaction with so many records after its first one is written anew, because a read needs
/// them all.
constexpr std::uint16_t chain_records_max = 64;
/// Transactions moved at a time; they share a few groups.
constexpr std::size_t moves_in_flight = 256;
constexpr int move_attempts_max = 8;
/// At least so many entries of directories are sorted and written together. A part of a table is
/// written as a whole.
constexpr std::size_t directory_entries_at_once = 4096;

std::uint64_t bytes_of(const SegmentSet::Segments& segments) {
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment->bytes_on_disk();
  return bytes;
}

}  // namespace

Maintenance::~Maintenance() {
  stop();
}

Result<> Maintenance::start() {
  return start_thread(thread_, "for the store's maintenance", [this] { run(); });
}

void Maintenance::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Maintenance::run() {
  lower_priority();
  UniqueLock lock(mutex_);
  while (!stops_within(lock, look_interval)) {
    lock.unlock();
    const Result<> done = run_once(false);
    lock.lock();
    if (!done) return;
  }
}

bool Maintenance::stops_within(UniqueLock& lock, std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!stopping_ && wake_.wait_until(lock, end)) {
  }
  return stopping_;
}

Result<> Maintenance::run_now() {
  return run_once(true);
}

// An error here fails the store: without checkpoints the store would only grow.
Result<> Maintenance::run_once(bool checkpoint_now) {
  const MutexLock lock(work_mutex_);
  hurried_ = checkpoint_now;
  const bool failed_before = core_.committer.failed();
  Result<> done = work(checkpoint_now);
  if (done || failed_before) return done;
  core_.log(LogLevel::error, "maintenance of the store failed: " + done.error().detail);
  core_.committer.fail(done.error());
  return done;
}

Result<> Maintenance::work(bool checkpoint_now) {
  CONCERTO_CHECK(core_.check_place());
  core_.room.look();
  // On a full disk the remaining room is kept for the ends of unfinished transactions.
  const bool spare_room = checkpoint_now || !core_.room.is_short();
  if (spare_room) {
    const bool opened = core_.segment_opened.exchange(false);
    if (checkpoint_now || opened || checkpoint_is_due() || core_.segment_waits_for_group()) {
      CONCERTO_CHECK(checkpoint());
      CONCERTO_CHECK(shorten_chains());
    }
    CONCERTO_CHECK(seal_segments());
  }
  CONCERTO_CHECK(apply_retention());
  if (checkpoint_now || --looks_until_measured_ <= 0) measure_disk();
  return spare_room ? core_.prepare_segment() : ok();
}

void Maintenance::measure_disk() {
  looks_until_measured_ = looks_between_measures;
  core_.probe.disk_bytes.store(bytes_of(core_.segments.all()), std::memory_order_relaxed);
}

/// A checkpoint needs several times its own size of log before it, so that the lists of unfinished
/// transactions are a small part of the log, however many there are.
bool Maintenance::checkpoint_is_due() const {
  constexpr std::uint64_t times_as_much = 8;
  return core_.unchecked_bytes >=
         std::max(core_.options.checkpoint_bytes, times_as_much * last_checkpoint_bytes_);
}

Result<> Maintenance::append(EncodedRecord record, Durability durability, Place* place) {
  LogRequest request;
  request.kind = LogRequest::Kind::append;
  request.durability = durability;
  request.set_record(std::move(record));
  last_checkpoint_bytes_ += request.record.payload.size();
  CONCERTO_CHECK(core_.committer.commit_and_wait(request));
  if (place != nullptr) *place = request.place;
  return ok();
}

// Changes go on meanwhile, so a part may show what happened after first_group. Replay skips records
// that a part has already seen.
Result<> Maintenance::checkpoint() {
  core_.unchecked_bytes = 0;
  last_checkpoint_bytes_ = 0;
  Ledger::Checkpoint checkpoint = core_.ledger.begin_checkpoint();
  CONCERTO_CHECK(write_unfinished(checkpoint));
  CONCERTO_CHECK(write_directories(*checkpoint.finished));
  CONCERTO_CHECK(write_failed(*checkpoint.failed));
  Place end;
  CONCERTO_CHECK(append(encode_unfinished_end(checkpoint.end), Durability::durable, &end));
  std::map<std::uint64_t, SegmentState> known;
  for (const SegmentState& now : core_.segments.states()) known[now.number] = now;
  CONCERTO_CHECK(core_.change_state([&](StoreState& state) {
    state.checkpoint_first = checkpoint.end.first_group;
    state.checkpoint_end = end.group;
    for (SegmentState& segment : state.segments) {
      const auto now = known.find(segment.number);
      if (now == known.end()) continue;
      segment.newest_finish = now->second.newest_finish;
      segment.newest_failure = now->second.newest_failure;
    }
  }));
  core_.ledger.directories_written();
  // What a checkpoint writes does not bring the next one nearer.
  core_.unchecked_bytes -= std::min(core_.unchecked_bytes.load(), last_checkpoint_bytes_);
  core_.probe.checkpoints.fetch_add(1, std::memory_order_relaxed);
  return ok();
}

Result<> Maintenance::write_unfinished(Ledger::Checkpoint& checkpoint) {
  long_chains_.clear();
  for (const KvRecord& record : checkpoint.kv) {
    CONCERTO_CHECK(append(encode_kv(RecordKind::kv_part, record), Durability::progress, nullptr));
  }
  std::size_t slot = 0;
  for (bool end = false; !end;) {
    const SteadyTime begin = core_.clock.steady_now();
    const std::vector<UnfinishedEntry> entries = core_.ledger.unfinished_slots(slot, end);
    if (entries.empty()) continue;
    checkpoint.end.count += entries.size();
    for (const UnfinishedEntry& entry : entries) {
      if (entry.chain >= chain_records_max) long_chains_.push_back(entry.fingerprint);
    }
    CONCERTO_CHECK(append(encode_unfinished_part(entries), Durability::progress, nullptr));
    give_way(begin);
  }
  return ok();
}

Result<> Maintenance::write_directories(const FinishedTable& finished) {
  std::vector<FinishedEntry> entries;
  for (const FinishedTable::Part& part : finished.parts()) {
    for (const FinishedEntry entry : part) entries.push_back(entry);
    if (entries.size() < directory_entries_at_once) continue;
    CONCERTO_CHECK(write_entries(entries));
    entries.clear();
  }
  return write_entries(entries);
}

Result<> Maintenance::write_entries(std::vector<FinishedEntry>& entries) {
  const SteadyTime begin = core_.clock.steady_now();
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::map<std::shared_ptr<Segment>, std::vector<FinishedEntry>> by_segment;
  for (const FinishedEntry& entry : entries) {
    if (auto segment = core_.segments.of(entry.second.first.group)) {
      by_segment[std::move(segment)].push_back(entry);
    }
  }
  for (const auto& [segment, some] : by_segment) CONCERTO_CHECK(segment->write_finished(some));
  give_way(begin);
  return ok();
}

Result<> Maintenance::write_failed(const Ledger::FailedTable& failed) {
  for (auto at = failed.begin(); at != failed.end();) {
    const SteadyTime begin = core_.clock.steady_now();
    std::map<std::shared_ptr<Segment>, std::vector<FailedEntry>> by_segment;
    for (std::size_t i = 0; i < directory_entries_at_once && at != failed.end(); ++i, ++at) {
      if (auto segment = core_.segments.of(at->second.first_group)) {
        by_segment[std::move(segment)].push_back(at->second);
      }
    }
    for (const auto& [segment, some] : by_segment) CONCERTO_CHECK(segment->write_failed(some));
    give_way(begin);
  }
  return ok();
}

/// Pauses, because nobody waits for the work, unless it is hurried or the store stops.
void Maintenance::give_way(SteadyTime begin) {
  if (hurried_) return;
  const auto pause = core_.env.log_env.pace().pause_after(core_.clock.steady_now() - begin);
  UniqueLock lock(mutex_);
  stops_within(lock, pause);
}

Result<> Maintenance::seal_segments() {
  const auto segments = core_.segments.all();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    if (!segments[i]->is_sealed()) CONCERTO_CHECK(seal(*segments[i]));
  }
  return ok();
}

// Called after a checkpoint that began when the segment was complete. So the segment's directory
// has every transaction that finished before; one that finishes later is written as late.
Result<> Maintenance::seal(Segment& segment) {
  CONCERTO_CHECK(segment.seal(core_.segments.filter_of(segment).encode()));
  const WallTime newest = core_.segments.note_sealed(segment, core_.clock.wall_now());
  return core_.change_state([&](StoreState& state) {
    for (SegmentState& known : state.segments) {
      if (known.number != segment.number()) continue;
      known.sealed = true;
      known.newest_finish = newest;
    }
  });
}

Result<> Maintenance::apply_retention() {
  core_.segments.correct_finish_times(core_.clock.wall_now());
  for (;;) {
    core_.segments.remove_dropped();
    const auto segments = core_.segments.all();
    if (segments.size() < 2) return ok();
    const std::uint64_t bytes = bytes_of(segments);
    if (!may_drop(segments, bytes)) return ok();
    // A restart must not need the dropped segment, so the checkpoint has to begin behind it.
    if (core_.state().checkpoint_first < segments[1]->first_group()) CONCERTO_CHECK(checkpoint());
    CONCERTO_CHECK(move_all(core_.ledger.unfinished_before(segments[1]->first_group())));
    // Transactions that finished meanwhile are kept from now on, and a move that failed is tried
    // again.
    if (!may_drop(segments, bytes)) return ok();
    if (!core_.ledger.unfinished_before(segments[1]->first_group()).empty()) return ok();
    CONCERTO_CHECK(drop_oldest(segments));
  }
}

/// Whether the oldest segment is past retention. The limit on bytes spares a segment whose
/// transactions are mostly unfinished, because to write them anew would gain no room.
bool Maintenance::may_drop(const SegmentSet::Segments& segments, std::uint64_t bytes) {
  const auto& oldest = segments.front();
  const WallTime now = core_.clock.wall_now();
  const auto [state, finished] = core_.segments.facts_of(*oldest);
  if (!state.sealed) return false;
  const StoreRetention retention = core_.retention();
  const bool is_past = now - state.newest_finish >= retention.finished_expire &&
                       now - state.newest_failure >= retention.failed_expire;
  if (is_past) return true;
  if (bytes <= retention.finished_bytes_max) return false;
  return finished >= core_.ledger.unfinished_before(segments[1]->first_group()).size();
}

Result<> Maintenance::drop_oldest(const SegmentSet::Segments& segments) {
  const auto& oldest = segments.front();
  CONCERTO_CHECK(
      core_.change_state([](StoreState& state) { state.segments.erase(state.segments.begin()); }));
  core_.segments.drop_oldest();
  core_.ledger.forget_before(segments[1]->first_group(), segments[1]->first_sequence());
  core_.probe.segments_dropped.fetch_add(1, std::memory_order_relaxed);
  core_.log(LogLevel::info, "dropped '" + oldest->path() + "', which is past retention");
  return ok();
}

Result<> Maintenance::shorten_chains() {
  return move_all(long_chains_);
}

Result<> Maintenance::move_all(const std::vector<Fingerprint>& gids) {
  // The committer uses a request until it is answered, even after an earlier request has failed.
  struct Move {
    LogRequest request;
    std::future<Result<>> answer;
    ~Move() {
      if (answer.valid()) answer.wait();
    }
  };
  std::vector<Fingerprint> left = gids;
  GroupReader groups(core_.segments);
  for (int attempt = 0; attempt < move_attempts_max && !left.empty(); ++attempt) {
    std::vector<Fingerprint> changed;
    for (std::size_t at = 0; at < left.size(); at += moves_in_flight) {
      std::list<Move> moves;
      const std::size_t end = std::min(left.size(), at + moves_in_flight);
      for (std::size_t i = at; i < end; ++i) {
        CONCERTO_TRY(auto chain, core_.ledger.find_ordered(left[i]));
        if (!chain) continue;
        const Place last = chain->records.empty() ? chain->rest : chain->records.front().place;
        CONCERTO_CHECK(complete(*chain, groups));
        CONCERTO_TRY(const Transaction trans, build(*chain));
        Move& move = moves.emplace_back();
        move.request.kind = LogRequest::Kind::move;
        move.request.fingerprint = left[i];
        move.request.moved_from = last;
        move.request.set_record(encode_transaction(RecordKind::moved, trans));
        CONCERTO_TRY(move.answer, core_.committer.start_commit(move.request));
      }
      for (Move& move : moves) {
        const Result<> moved = move.answer.get();
        if (moved) continue;
        if (moved.error().code != EngineErrc::status_mismatch) return moved;
        changed.push_back(move.request.fingerprint);
      }
    }
    left = std::move(changed);
  }
  return ok();
}

}  // namespace concerto::persist
