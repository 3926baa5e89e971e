#include "ledger.hpp"

#include <algorithm>

#include <concerto/core/assert.hpp>

#include "../preconditions.hpp"

namespace concerto::persist {
namespace {

/// Entries of the active table looked at under one hold of the lock.
constexpr std::size_t slots_per_hold = 4096;
/// Entries of one active_part record.
constexpr std::size_t part_entries_max = 512;

bool begins_chain(RecordKind kind) noexcept {
  return kind == RecordKind::submit || kind == RecordKind::moved;
}

std::uint32_t count(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

Result<> check_indexes(const ActiveEntry& entry, const UpdateTrans& update) {
  const TransDelta& delta = update.delta;
  const auto branches = entry.branches + delta.new_branches.size();
  const auto payloads = entry.payloads + delta.new_payloads.size();
  for (const BranchChange& change : delta.branch_changes) {
    if (change.index < branches) continue;
    return make_error(Errc::invalid_request, "branch " + std::to_string(change.index) + " of '" +
                                                 update.gid.str() + "' does not exist");
  }
  for (const Branch& branch : delta.new_branches) {
    if (branch.payload < payloads) continue;
    return make_error(Errc::invalid_request, "payload " + std::to_string(branch.payload) + " of '" +
                                                 update.gid.str() + "' does not exist");
  }
  return ok();
}

}  // namespace

Ledger::Ledger(SegmentSet& segments, const FingerprintKey& key, std::size_t recent_bytes_max)
    : segments_(segments), key_(key), recent_(recent_bytes_max) {}

Result<> Ledger::order(CommitRequest& request, SteadyTime now) {
  switch (request.kind) {
    case CommitRequest::Kind::create:
      return order_create(request, now);
    case CommitRequest::Kind::update:
      return order_update(request, now);
    case CommitRequest::Kind::move:
      return order_move(request, now);
    case CommitRequest::Kind::append: {
      const std::lock_guard lock(mutex_);
      request.place = builder_.add(request.record, {}, request.durability, now);
      return ok();
    }
    default:
      return order_kv(request, now);
  }
}

Result<> Ledger::order_create(CommitRequest& request, SteadyTime now) {
  const Transaction& trans = *request.trans;
  std::unique_lock lock(mutex_);
  if (active_.find(request.fingerprint) != nullptr) return gid_exists(trans.gid);
  if (pending(request.fingerprint) != nullptr) return gid_exists(trans.gid);
  if (const auto maybe = maybe_in(request.fingerprint); !maybe.empty()) {
    // Only this thread adds gids, so what the disk says stays true without the lock.
    lock.unlock();
    for (const SegmentRef& segment : maybe) {
      CONCERTO_TRY(const auto places, segment->find_finished(request.fingerprint));
      if (places) return gid_exists(trans.gid);
    }
    lock.lock();
  }
  Link link;
  link.sequence = ++last_sequence_;
  request.place = builder_.add(request.record, link, request.durability, now);
  ActiveEntry entry;
  entry.fingerprint = request.fingerprint;
  entry.sequence = link.sequence;
  entry.first = entry.last = request.place;
  entry.branches = count(trans.branches.size());
  entry.payloads = count(trans.payloads.size());
  entry.status = trans.status;
  active_.insert(entry);
  if (is_final(trans.status)) finishing_.push_back({entry.fingerprint, trans.update_time});
  return ok();
}

Result<> Ledger::order_update(CommitRequest& request, SteadyTime now) {
  const UpdateTrans& update = *request.update;
  ActiveEntry* const entry = with_lock([&] { return active_.find(request.fingerprint); });
  if (entry == nullptr) {
    CONCERTO_TRY(const auto finished, find_finished(request.fingerprint));
    if (finished) return status_mismatch(update, finished->status);
    return trans_not_found(update.gid);
  }
  // Entries do not move, and only this thread changes them.
  CONCERTO_CHECK(check_status(update, entry->status));
  CONCERTO_CHECK(check_indexes(*entry, update));
  CONCERTO_CHECK(check_branches(*entry, update));

  const std::lock_guard lock(mutex_);
  Link link;
  link.previous = entry->last;
  link.first = entry->first;
  request.place = builder_.add(request.record, link, request.durability, now);
  entry->last = request.place;
  entry->branches += count(update.delta.new_branches.size());
  entry->payloads += count(update.delta.new_payloads.size());
  if (entry->chain < UINT16_MAX) ++entry->chain;
  if (update.delta.status) entry->status = *update.delta.status;
  if (is_final(entry->status)) finishing_.push_back({entry->fingerprint, update.delta.at});
  return ok();
}

Result<> Ledger::check_branches(const ActiveEntry& entry, const UpdateTrans& update) const {
  if (update.delta.new_branches.empty()) return ok();
  CONCERTO_TRY(auto chain, with_lock([&] { return walk(entry.last, false); }));
  GroupReader reader(segments_);
  CONCERTO_CHECK(complete(chain, reader));
  CONCERTO_TRY(const Transaction trans, build(chain));
  return check_new_branches(trans, update.delta);
}

Result<> Ledger::order_move(CommitRequest& request, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  ActiveEntry* const entry = active_.find(request.fingerprint);
  if (entry == nullptr || is_final(entry->status) || entry->last != request.moved_from) {
    return make_error(Errc::status_mismatch, "the transaction has changed meanwhile");
  }
  Link link;
  link.sequence = entry->sequence;
  link.previous = entry->last;
  request.place = builder_.add(request.record, link, request.durability, now);
  entry->first = entry->last = request.place;
  entry->chain = 0;
  note_moved(entry->sequence, entry->fingerprint, entry->first);
  return ok();
}

Result<> Ledger::order_kv(CommitRequest& request, SteadyTime now) {
  const KvRecord& asked = *request.kv;
  const std::lock_guard lock(mutex_);
  KvEffect effect{false, asked};
  if (request.kind == CommitRequest::Kind::kv_create) {
    CONCERTO_CHECK(kv_.check_create(asked));
    effect.record = kv_.created(asked);
  } else if (request.kind == CommitRequest::Kind::kv_update) {
    CONCERTO_CHECK(kv_.check_update(asked));
    effect.record = kv_.updated(asked);
  } else {
    CONCERTO_CHECK(kv_.check_erase(asked.cat, asked.key));
    effect.erased = true;
  }
  request.record = effect.erased ? encode_kv_erase(asked.cat, asked.key)
                                 : encode_kv(RecordKind::kv_put, effect.record);
  request.place = builder_.add(request.record, {}, request.durability, now);
  if (effect.erased) {
    kv_.erase(asked.cat, asked.key);
  } else {
    kv_.put(effect.record);
  }
  kv_effects_.push_back(std::move(effect));
  return ok();
}

Ledger::Group Ledger::take_group() {
  const std::lock_guard lock(mutex_);
  Group group{builder_.number(), builder_.take()};
  recent_.add(group.number, group.value);
  return group;
}

void Ledger::written() {
  const std::lock_guard lock(mutex_);
  durable_group_ = builder_.number() - 1;
  for (const Finishing& finishing : finishing_) {
    if (const ActiveEntry* entry = active_.find(finishing.fingerprint)) {
      finish(*entry, finishing.at);
    }
  }
  finishing_.clear();
  for (KvEffect& effect : kv_effects_) {
    if (effect.erased) {
      durable_kv_.erase(effect.record.cat, effect.record.key);
    } else {
      durable_kv_.put(std::move(effect.record));
    }
  }
  kv_effects_.clear();
}

void Ledger::finish(const ActiveEntry& entry, WallTime at) {
  const Fingerprint fingerprint = entry.fingerprint;
  finished_[fingerprint] = {entry.sequence, entry.first, entry.last, entry.status};
  if (const auto segment = segments_.of(entry.first.group)) {
    segment->filter.insert(fingerprint);
    segment->state.newest_finish = std::max(segment->state.newest_finish, at);
  }
  active_.erase(fingerprint);
}

void Ledger::note_moved(std::uint64_t sequence, const Fingerprint& fingerprint,
                        const Place& first) {
  const auto segment = segments_.of(first.group);
  if (segment && sequence < segment->state.first_sequence) moved_[sequence] = fingerprint;
}

Result<std::optional<FinishedPlaces>> Ledger::find_finished(const Fingerprint& fingerprint) const {
  std::vector<SegmentRef> maybe;
  {
    const std::lock_guard lock(mutex_);
    if (const FinishedPlaces* found = pending(fingerprint)) return std::optional{*found};
    maybe = maybe_in(fingerprint);
  }
  for (const SegmentRef& segment : maybe) {
    CONCERTO_TRY(const auto found, segment->find_finished(fingerprint));
    if (found) return found;
  }
  return std::optional<FinishedPlaces>{};
}

const FinishedPlaces* Ledger::pending(const Fingerprint& fingerprint) const {
  for (const Finished* finished : {&finished_, &flushing_}) {
    if (const auto found = finished->find(fingerprint); found != finished->end()) {
      return &found->second;
    }
  }
  return nullptr;
}

std::vector<Ledger::SegmentRef> Ledger::maybe_in(const Fingerprint& fingerprint) const {
  const SegmentSet::Segments all = segments_.all();
  for (const SegmentRef& segment : all) segment->filter.prefetch(fingerprint);
  std::vector<SegmentRef> maybe;
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if ((*at)->filter.may_contain(fingerprint)) maybe.push_back(*at);
  }
  return maybe;
}

// ---- Reads.

Result<std::optional<ChainRecord>> Ledger::in_memory(const Place& place) const {
  if (place.group != builder_.number()) {
    auto bytes = recent_.find(place.group);
    if (!bytes) return std::optional<ChainRecord>{};
    CONCERTO_TRY(ChainRecord found, record_in(std::move(bytes), place));
    return std::optional{std::move(found)};
  }
  // The group still grows, so its record is copied out.
  std::size_t end = place.offset;
  CONCERTO_ASSERT(read_record(builder_.value(), end));
  auto copy = std::make_shared<std::string>(builder_.value(), place.offset, end - place.offset);
  CONCERTO_TRY(ChainRecord found, record_in(std::move(copy), Place{place.group, 0}));
  found.place = place;
  return std::optional{std::move(found)};
}

/// Collects records from `last` backwards as long as their groups are in memory. A moved record
/// that is not durable yet hides nothing: what it sums up stands before it.
Result<Chain> Ledger::walk(Place last, bool only_durable) const {
  Chain chain;
  chain.rest = last;
  while (chain.rest) {
    CONCERTO_TRY(auto next, in_memory(chain.rest));
    if (!next) break;
    const bool undurable = only_durable && chain.rest.group > durable_group_;
    const RecordKind kind = next->record.kind;
    const bool skipped = undurable && kind == RecordKind::moved;
    if (undurable && !skipped && kind != RecordKind::progress) {
      chain.records.clear();  // neither this one is shown nor what was ordered behind it
    } else if (!skipped) {
      chain.records.push_back(*next);
    }
    chain.rest = begins_chain(kind) && !skipped ? Place{} : next->record.link.previous;
  }
  return chain;
}

Result<Ledger::Found> Ledger::find(const Fingerprint& fingerprint) const {
  const std::lock_guard lock(mutex_);
  Found found;
  Place last;
  if (const ActiveEntry* entry = active_.find(fingerprint)) {
    last = entry->last;
  } else if (const FinishedPlaces* places = pending(fingerprint)) {
    last = places->last;
  } else {
    found.maybe = maybe_in(fingerprint);
    return found;
  }
  found.in_memory = true;
  CONCERTO_TRY(found.chain, walk(last, true));
  return found;
}

Result<std::optional<Chain>> Ledger::find_ordered(const Fingerprint& fingerprint) const {
  const std::lock_guard lock(mutex_);
  const ActiveEntry* entry = active_.find(fingerprint);
  if (entry == nullptr || is_final(entry->status)) return std::optional<Chain>{};
  CONCERTO_TRY(Chain chain, walk(entry->last, false));
  return std::optional{std::move(chain)};
}

std::uint64_t Ledger::durable_group() const {
  return with_lock([this] { return durable_group_; });
}

std::uint64_t Ledger::last_sequence() const {
  return with_lock([this] { return last_sequence_; });
}

std::size_t Ledger::active_count() const {
  return with_lock([this] { return active_.size(); });
}

std::size_t Ledger::active_bytes() const {
  return with_lock([this] { return active_.bytes(); });
}

std::vector<Ledger::ActiveRef> Ledger::active_refs(std::uint64_t from,
                                                   std::uint64_t first_before) const {
  std::vector<ActiveRef> refs;
  std::size_t slot = 0;
  for (bool more = true; more;) {
    const std::lock_guard lock(mutex_);
    const std::size_t end = std::min(slot + slots_per_hold, active_.slots());
    for (; slot < end; ++slot) {
      const ActiveEntry* entry = active_.at_slot(slot);
      if (entry == nullptr || entry->sequence < from || is_final(entry->status)) continue;
      if (entry->first.group >= first_before) continue;
      refs.push_back({entry->sequence, entry->fingerprint, entry->last});
    }
    more = slot < active_.slots();
  }
  std::sort(refs.begin(), refs.end(),
            [](const ActiveRef& a, const ActiveRef& b) { return a.sequence < b.sequence; });
  return refs;
}

std::vector<Ledger::ActiveRef> Ledger::moved_refs(std::uint64_t before, std::size_t limit) const {
  std::vector<ActiveRef> refs;
  const std::lock_guard lock(mutex_);
  auto at = moved_.lower_bound(before);
  while (at != moved_.begin() && refs.size() < limit) {
    --at;
    refs.push_back({at->first, at->second, {}});
  }
  return refs;
}

std::vector<KvRecord> Ledger::find_kv(const std::string& cat, const std::string& key) const {
  return with_lock([&] { return durable_kv_.find(cat, key); });
}

KvPage Ledger::scan_kv(const std::string& cat, const std::string& position,
                       std::size_t limit) const {
  return with_lock([&] { return durable_kv_.scan(cat, position, limit); });
}

// ---- Checkpoints and retention.

Ledger::Checkpoint Ledger::begin_checkpoint() {
  const std::lock_guard lock(mutex_);
  Checkpoint checkpoint;
  checkpoint.end.first_group = durable_group_ + 1;
  checkpoint.end.last_sequence = last_sequence_;
  durable_kv_.for_each([&](const KvRecord& record) { checkpoint.kv.push_back(record); });
  // What an earlier, failed checkpoint left is written again.
  for (auto& [fingerprint, places] : flushing_) finished_.emplace(fingerprint, places);
  flushing_ = std::exchange(finished_, {});
  checkpoint.finished = &flushing_;  // changed by the maintenance thread alone
  return checkpoint;
}

std::vector<ActiveEntry> Ledger::active_slots(std::size_t& slot, bool& end) const {
  std::vector<ActiveEntry> entries;
  const std::lock_guard lock(mutex_);
  const std::size_t stop = std::min(slot + slots_per_hold, active_.slots());
  for (; slot < stop && entries.size() < part_entries_max; ++slot) {
    const ActiveEntry* entry = active_.at_slot(slot);
    if (entry != nullptr && !is_final(entry->status)) entries.push_back(*entry);
  }
  end = slot >= active_.slots();
  return entries;
}

void Ledger::directories_written() {
  const std::lock_guard lock(mutex_);
  flushing_.clear();
}

void Ledger::forget_before(std::uint64_t first_group, std::uint64_t first_sequence) {
  const std::lock_guard lock(mutex_);
  for (Finished* finished : {&finished_, &flushing_}) {
    std::erase_if(*finished, [&](const auto& e) { return e.second.first.group < first_group; });
  }
  std::erase_if(moved_, [&](const auto& known) {
    const auto& [sequence, fingerprint] = known;
    return sequence < first_sequence && active_.find(fingerprint) == nullptr &&
           pending(fingerprint) == nullptr && maybe_in(fingerprint).empty();
  });
}

}  // namespace concerto::persist
