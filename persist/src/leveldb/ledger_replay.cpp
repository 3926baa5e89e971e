// What the ledger learns from the log when the store is opened.

#include <algorithm>

#include "ledger.hpp"

namespace concerto::persist {
namespace {

Error malformed(const Place& place, const char* what) {
  return make_error(EngineErrc::store_damaged, "the record at byte " +
                                                   std::to_string(place.offset) + " of group " +
                                                   std::to_string(place.group) + " " + what);
}

}  // namespace

void Ledger::restore_unfinished(const UnfinishedEntry& entry) {
  const MutexLock lock(mutex_);
  unfinished_.insert(entry);
  last_sequence_ = std::max(last_sequence_, entry.sequence);
  note_moved(entry.sequence, entry.fingerprint, entry.first);
}

void Ledger::restore_moved(const Fingerprint& fingerprint, std::uint64_t sequence) {
  const MutexLock lock(mutex_);
  moved_[sequence] = fingerprint;
}

void Ledger::restore_failed(const FailedEntry& entry) {
  const MutexLock lock(mutex_);
  failed_.try_emplace(entry.ref.sequence, entry);
}

void Ledger::restore_kv(KvRecord record) {
  const MutexLock lock(mutex_);
  kv_.put(record);
  durable_kv_.put(std::move(record));
}

void Ledger::restore_sequence(std::uint64_t last_sequence) {
  const MutexLock lock(mutex_);
  last_sequence_ = std::max(last_sequence_, last_sequence);
}

void Ledger::begin_at(std::uint64_t next_group) {
  const MutexLock lock(mutex_);
  group_number_ = next_group;
  group_value_.clear();
  durable_group_ = next_group - 1;
  erased_in_replay_.clear();
}

Result<> Ledger::replay(const Place& place, const RecordView& record) {
  switch (record.kind) {
    case RecordKind::submit:
    case RecordKind::moved:
      return replay_whole(place, record);
    case RecordKind::progress:
    case RecordKind::decision:
    case RecordKind::finish:
      return replay_update(place, record);
    case RecordKind::kv_put:
    case RecordKind::kv_erase:
    case RecordKind::kv_part:
      return replay_kv(place, record);
    case RecordKind::unfinished_part:
    case RecordKind::unfinished_end:
      return ok();
  }
  return malformed(place, "is of an unknown kind");
}

/// A checkpoint's part is needed only for a key whose last change is past retention. If the
/// replayed log has changed the key, the part may have an older state.
Result<> Ledger::replay_kv(const Place& place, const RecordView& record) {
  const bool erases = record.kind == RecordKind::kv_erase;
  auto kv = erases ? decode_kv_erase(record.payload) : decode_kv(record.payload);
  if (!kv) return malformed(place, "is not one of a key");
  if (erases) {
    kv_.erase(kv->cat, kv->key);
    durable_kv_.erase(kv->cat, kv->key);
    erased_in_replay_.emplace(kv->cat, kv->key);
    return ok();
  }
  const bool is_known =
      kv_.contains(kv->cat, kv->key) || erased_in_replay_.contains({kv->cat, kv->key});
  if (record.kind == RecordKind::kv_put || !is_known) restore_kv(std::move(*kv));
  return ok();
}

Result<> Ledger::replay_whole(const Place& place, const RecordView& record) {
  const auto trans = decode_transaction(record.payload);
  if (!trans) return malformed(place, "is not a transaction");
  last_sequence_ = std::max(last_sequence_, record.link.sequence);
  UnfinishedEntry entry;
  entry.fingerprint = fingerprint(key_, trans->gid.view());
  if (const UnfinishedEntry* known = unfinished_.find(entry.fingerprint)) {
    if (known->last >= place) return ok();  // the checkpoint was written after this record
    if (record.kind == RecordKind::submit) return malformed(place, "creates a gid again");
    unfinished_.erase(entry.fingerprint);
  }
  entry.sequence = record.link.sequence;
  entry.first = entry.last = place;
  entry.branches = static_cast<std::uint32_t>(trans->branches.size());
  entry.payloads = static_cast<std::uint32_t>(trans->payloads.size());
  entry.status = trans->status;
  entry.set_facts(facts_of(*trans));
  restore_unfinished(entry);
  if (is_final(entry.status)) finish(entry, trans->update_time);
  return ok();
}

Result<> Ledger::replay_update(const Place& place, const RecordView& record) {
  const auto update = decode_delta(record.payload);
  const bool finishes = record.kind == RecordKind::finish;
  if (!update || finishes != (update->delta.status && is_final(*update->delta.status))) {
    return malformed(place, "is not a change of its kind");
  }
  const Fingerprint gid = fingerprint(key_, update->gid.view());
  UnfinishedEntry* const entry = unfinished_.find(gid);
  if (entry == nullptr && !finishes) return replay_after_end(place, record, gid);
  if (entry == nullptr && !segments_.of(record.link.first.group)) return ok();
  UnfinishedEntry finished;
  if (entry == nullptr) {
    // The transaction was unfinished when the checkpoint began, and finished before its part was
    // written.
    finished.fingerprint = gid;
    finished.first = record.link.first;
    finished.last = place;
    finished.status = *update->delta.status;
    CONCERTO_TRY(const auto first, GroupReader(segments_).record_at(finished.first));
    finished.sequence = first.record.link.sequence;
    note_moved(finished.sequence, gid, finished.first);
    finish(finished, update->delta.at);
    return ok();
  }
  if (entry->last >= place) return ok();
  if (entry->last != record.link.previous) return malformed(place, "does not follow its previous");
  entry->last = place;
  entry->branches += static_cast<std::uint32_t>(update->delta.new_branches.size());
  entry->payloads += static_cast<std::uint32_t>(update->delta.new_payloads.size());
  if (entry->chain < UINT16_MAX) ++entry->chain;
  if (update->delta.status) entry->status = *update->delta.status;
  if (is_final(entry->status)) finish(*entry, update->delta.at);
  return ok();
}

/// A change of a transaction that is not in the table of unfinished ones: it has finished, or it
/// finishes later in the log, or its first record is past retention.
Result<> Ledger::replay_after_end(const Place& place, const RecordView& record,
                                  const Fingerprint& gid) {
  if (!segments_.of(record.link.first.group)) return ok();
  CONCERTO_TRY(auto finished, find_finished(gid));
  if (!finished || finished->last != record.link.previous) return ok();
  finished->last = place;
  const MutexLock lock(mutex_);
  finished_.put(gid, *finished);
  return ok();
}

}  // namespace concerto::persist
