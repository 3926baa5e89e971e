// What the ledger shows to reads, checkpoints and retention.

#include <algorithm>
#include <iterator>
#include <utility>

#include <concerto/base/assert.hpp>

#include "ledger.hpp"

namespace concerto::persist {
namespace {

/// Entries of a table that are looked at before the lock is released.
constexpr std::size_t entries_per_hold = 4096;
/// The same for moved transactions, each of which is looked for in all filters.
constexpr std::size_t moved_per_hold = 256;
/// Entries of one unfinished_part record.
constexpr std::size_t part_entries_max = 512;

}  // namespace

Result<std::optional<ChainRecord>> Ledger::in_memory(const Place& place) const {
  if (place.group != group_number_) {
    auto bytes = recent_.find(place.group);
    if (!bytes) return std::optional<ChainRecord>{};
    CONCERTO_TRY(ChainRecord found, record_in(std::move(bytes), place));
    return std::optional{std::move(found)};
  }
  // The group still grows, so the record is copied.
  std::size_t end = place.offset;
  CONCERTO_ASSERT(read_record(group_value_, end));
  auto copy = std::make_shared<std::string>(group_value_, place.offset, end - place.offset);
  CONCERTO_TRY(ChainRecord found, record_in(std::move(copy), Place{place.group, 0}));
  found.place = place;
  return std::optional{std::move(found)};
}

/// Collects records from `last` backwards while their groups are in memory. A moved record that is
/// not durable yet hides nothing, because the records that it sums up are still before it.
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
      chain.records.clear();  // neither this record is shown nor those that were ordered behind it
    } else if (!skipped) {
      chain.records.push_back(*next);
    }
    chain.rest = begins_chain(kind) && !skipped ? Place{} : next->record.link.previous;
  }
  return chain;
}

Result<Ledger::Found> Ledger::find(const Fingerprint& fingerprint) const {
  const MutexLock lock(mutex_);
  Found found;
  Place last;
  if (const UnfinishedEntry* entry = unfinished_.find(fingerprint)) {
    last = entry->last;
  } else if (const FinishedPlaces* places = pending(fingerprint)) {
    last = places->last;
  } else {
    found.maybe = segments_.maybe_in(fingerprint);
    return found;
  }
  found.in_memory = true;
  CONCERTO_TRY(found.chain, walk(last, true));
  return found;
}

Result<std::optional<Chain>> Ledger::find_ordered(const Fingerprint& fingerprint) const {
  const MutexLock lock(mutex_);
  const UnfinishedEntry* entry = unfinished_.find(fingerprint);
  if (entry == nullptr || is_final(entry->status)) return std::optional<Chain>{};
  CONCERTO_TRY(Chain chain, walk(entry->last, false));
  return std::optional{std::move(chain)};
}

std::uint64_t Ledger::durable_group() const {
  const MutexLock lock(mutex_);
  return durable_group_;
}

std::uint64_t Ledger::last_sequence() const {
  const MutexLock lock(mutex_);
  return last_sequence_;
}

std::size_t Ledger::unfinished_count() const {
  const MutexLock lock(mutex_);
  return unfinished_.size();
}

std::size_t Ledger::unfinished_bytes() const {
  const MutexLock lock(mutex_);
  return unfinished_.bytes();
}

template <class Visit>
void Ledger::for_each_unfinished(Visit visit) const {
  std::size_t slot = 0;
  for (bool more = true; more;) {
    const MutexLock lock(mutex_);
    const std::size_t end = std::min(slot + entries_per_hold, unfinished_.slots());
    for (; slot < end; ++slot) {
      const UnfinishedEntry* entry = unfinished_.at_slot(slot);
      if (entry != nullptr) visit(*entry, slot);
    }
    more = slot < unfinished_.slots();
  }
}

std::vector<Ledger::UnfinishedRef> Ledger::unfinished_refs(std::uint64_t from, std::uint64_t to,
                                                           std::size_t limit) const {
  const auto before = [](const UnfinishedRef& a, const UnfinishedRef& b) {
    return a.sequence < b.sequence;
  };
  std::vector<UnfinishedRef> refs;
  const auto keep_first = [&] {
    if (refs.size() <= limit) return;
    const auto last = refs.begin() + static_cast<std::ptrdiff_t>(limit) - 1;
    std::nth_element(refs.begin(), last, refs.end(), before);
    to = last->sequence;
    refs.resize(limit);
  };
  for_each_unfinished([&](const UnfinishedEntry& entry, std::size_t slot) {
    if (is_final(entry.status) || entry.sequence < from || entry.sequence > to) return;
    refs.push_back({entry.sequence, static_cast<std::uint32_t>(slot)});
    if (refs.size() == 2 * limit) keep_first();
  });
  keep_first();
  std::sort(refs.begin(), refs.end(), before);
  return refs;
}

std::optional<Fingerprint> Ledger::fingerprint_of(const UnfinishedRef& ref) const {
  const MutexLock lock(mutex_);
  const UnfinishedEntry* entry = unfinished_.at_slot(ref.slot);
  if (entry == nullptr || entry->sequence != ref.sequence) return std::nullopt;
  return entry->fingerprint;
}

void Ledger::note_facts(const UnfinishedRef& ref, const TransFacts& facts) {
  const MutexLock lock(mutex_);
  UnfinishedEntry* entry = unfinished_.at_slot(ref.slot);
  if (entry != nullptr && entry->sequence == ref.sequence) entry->set_facts(facts);
}

// A record that was ordered and is not durable yet is not shown. So an entry with such a record may
// have any status.
std::vector<IndexRef> Ledger::unfinished_refs(const ListFilter& filter, std::uint64_t before,
                                              std::size_t limit) const {
  std::vector<IndexRef> refs;
  std::uint64_t after = 0;
  for_each_unfinished([&](const UnfinishedEntry& entry, std::size_t) {
    mutex_.is_held();
    if (entry.sequence >= before || entry.sequence <= after) return;
    const bool settled = entry.last.group <= durable_group_;
    if (settled && !filter.statuses.contains(entry.status)) return;
    if (!may_match(filter, entry.facts())) return;
    refs.push_back({entry.sequence, entry.fingerprint});
    if (refs.size() < 2 * limit) return;
    keep_newest(refs, limit);
    after = refs.back().sequence;
  });
  keep_newest(refs, limit);
  return refs;
}

std::vector<IndexRef> Ledger::failed_refs(const ListFilter& filter, std::uint64_t before,
                                          std::size_t limit) const {
  std::vector<IndexRef> refs;
  // A checkpoint that begins meanwhile moves entries from the first table to the second one.
  for (const FailedTable* table : {&failed_, &failed_flushing_}) {
    const std::size_t end = refs.size() + limit;
    std::uint64_t next = before;
    for (bool more = true; more;) {
      const MutexLock lock(mutex_);
      auto at = table->lower_bound(next);
      for (std::size_t left = entries_per_hold; left > 0 && refs.size() < end; --left) {
        if (at == table->begin()) break;
        --at;
        if (may_match(filter, at->second.facts)) refs.push_back(at->second.ref);
      }
      more = at != table->begin() && refs.size() < end;
      if (more) next = at->first;
    }
  }
  keep_newest(refs, limit);
  return refs;
}

std::vector<Fingerprint> Ledger::unfinished_before(std::uint64_t first_before) const {
  std::vector<std::pair<std::uint64_t, Fingerprint>> found;
  for_each_unfinished([&](const UnfinishedEntry& entry, std::size_t) {
    if (is_final(entry.status)) return;
    if (entry.first.group < first_before) found.emplace_back(entry.sequence, entry.fingerprint);
  });
  std::sort(found.begin(), found.end());
  std::vector<Fingerprint> gids;
  gids.reserve(found.size());
  for (const auto& [sequence, fingerprint] : found) gids.push_back(fingerprint);
  return gids;
}

std::vector<Ledger::MovedRef> Ledger::moved_refs(std::uint64_t before, std::size_t limit) const {
  std::vector<MovedRef> refs;
  const MutexLock lock(mutex_);
  auto at = moved_.lower_bound(before);
  while (at != moved_.begin() && refs.size() < limit) {
    --at;
    refs.push_back({at->first, at->second});
  }
  return refs;
}

std::vector<KvRecord> Ledger::find_kv(const std::string& cat, const std::string& key) const {
  const MutexLock lock(mutex_);
  return durable_kv_.find(cat, key);
}

KvPage Ledger::scan_kv(const std::string& cat, const std::string& position,
                       std::size_t limit) const {
  const MutexLock lock(mutex_);
  return durable_kv_.scan(cat, position, limit);
}

// ---- Checkpoints and retention.

Ledger::Checkpoint Ledger::begin_checkpoint() {
  const MutexLock lock(mutex_);
  Checkpoint checkpoint;
  checkpoint.end.first_group = durable_group_ + 1;
  checkpoint.end.last_sequence = last_sequence_;
  durable_kv_.for_each([&](const KvRecord& record) { checkpoint.kv.push_back(record); });
  // What an earlier, failed checkpoint left is written again.
  finished_.add(flushing_);
  // Both tables keep their memory: otherwise a new one would grow and an old one be freed under the
  // lock.
  flushing_.clear();
  std::swap(finished_, flushing_);
  failed_.merge(failed_flushing_);
  failed_flushing_.clear();
  std::swap(failed_, failed_flushing_);
  // Only the maintenance thread changes the two tables.
  checkpoint.finished = &flushing_;
  checkpoint.failed = &failed_flushing_;
  return checkpoint;
}

std::vector<UnfinishedEntry> Ledger::unfinished_slots(std::size_t& slot, bool& end) const {
  std::vector<UnfinishedEntry> entries;
  const MutexLock lock(mutex_);
  const std::size_t stop = std::min(slot + entries_per_hold, unfinished_.slots());
  for (; slot < stop && entries.size() < part_entries_max; ++slot) {
    const UnfinishedEntry* entry = unfinished_.at_slot(slot);
    if (entry != nullptr && !is_final(entry->status)) entries.push_back(*entry);
  }
  end = slot >= unfinished_.slots();
  return entries;
}

void Ledger::directories_written() {
  const MutexLock lock(mutex_);
  flushing_.clear();
  failed_flushing_.clear();
}

// An entry that is not forgotten yet leads to a segment that is gone. A reader takes that for
// absence.
void Ledger::forget_before(std::uint64_t first_group, std::uint64_t first_sequence) {
  for (std::size_t part = 0; part < FinishedTable::part_count; ++part) {
    const MutexLock lock(mutex_);
    for (FinishedTable* finished : {&finished_, &flushing_}) {
      finished->erase_if(part, [&](const auto& e) { return e.second.first.group < first_group; });
    }
  }
  for (FailedTable* failed : {&failed_, &failed_flushing_}) {
    erase_in_steps(failed, UINT64_MAX, entries_per_hold,
                   [&](const auto& e) { return e.second.first_group < first_group; });
  }
  erase_in_steps(&moved_, first_sequence, moved_per_hold, [&](const auto& known) {
    mutex_.is_held();
    const Fingerprint& fingerprint = known.second;
    return unfinished_.find(fingerprint) == nullptr && pending(fingerprint) == nullptr &&
           segments_.maybe_in(fingerprint).empty();
  });
}

template <class Table, class Predicate>
void Ledger::erase_in_steps(Table* table, std::uint64_t before, std::size_t step,
                            Predicate predicate) {
  std::uint64_t next = 0;
  for (bool more = true; more;) {
    const MutexLock lock(mutex_);
    auto at = table->lower_bound(next);
    const auto end = table->lower_bound(before);
    for (std::size_t left = step; left > 0 && at != end; --left) {
      at = predicate(*at) ? table->erase(at) : std::next(at);
    }
    more = at != end;
    if (more) next = at->first;
  }
}

}  // namespace concerto::persist
