#include "ledger.hpp"

#include <algorithm>

#include "../preconditions.hpp"

namespace concerto::persist {
namespace {

std::uint32_t count(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

Result<> check_indexes(const UnfinishedEntry& entry, const UpdateTrans& update) {
  const TransDelta& delta = update.delta;
  const auto branches = entry.branches + delta.new_branches.size();
  const auto payloads = entry.payloads + delta.new_payloads.size();
  const auto missing = [&update](std::string_view what, std::uint32_t index) {
    return make_error(Errc::invalid_request, std::string(what) + " " + std::to_string(index) +
                                                 " of '" + update.gid.str() + "' does not exist");
  };
  for (const BranchChange& change : delta.branch_changes) {
    if (change.index >= branches) return missing("branch", change.index);
  }
  for (const Branch& branch : delta.new_branches) {
    if (branch.payload >= payloads) return missing("payload", branch.payload);
  }
  for (const RowEdit& edit : delta.row_edits) {
    if (edit.index >= branches) return missing("branch", edit.index);
    if (edit.payload.value_or(0) >= payloads) return missing("payload", *edit.payload);
  }
  return ok();
}

}  // namespace

Ledger::Ledger(SegmentSet& segments, const FingerprintKey& key, std::size_t recent_bytes_max)
    : segments_(segments), key_(key), recent_(recent_bytes_max) {}

Result<std::size_t> Ledger::order(LogRequest& request) {
  switch (request.kind) {
    case LogRequest::Kind::create:
      return order_create(request);
    case LogRequest::Kind::update:
      return order_update(request);
    case LogRequest::Kind::move:
      return order_move(request);
    case LogRequest::Kind::append: {
      const MutexLock lock(mutex_);
      request.place = {group_number_, append_record(group_value_, request.record, {})};
      return group_value_.size();
    }
    default:
      return order_kv(request);
  }
}

Result<std::size_t> Ledger::order_create(LogRequest& request) {
  const Transaction& trans = *request.trans;
  UniqueLock lock(mutex_);
  if (unfinished_.find(request.fingerprint) != nullptr) return gid_exists(trans.gid);
  if (pending(request.fingerprint) != nullptr) return gid_exists(trans.gid);
  if (const auto maybe = segments_.maybe_in(request.fingerprint); !maybe.empty()) {
    // Only this thread adds gids, so the disk's answer stays true while the lock is released.
    lock.unlock();
    for (const SegmentRef& segment : maybe) {
      CONCERTO_TRY(const auto places, segment->find_finished(request.fingerprint));
      if (places) return gid_exists(trans.gid);
    }
    lock.lock();
  }
  Link link;
  link.sequence = ++last_sequence_;
  request.place = {group_number_, append_record(group_value_, request.record, link)};
  UnfinishedEntry entry;
  entry.fingerprint = request.fingerprint;
  entry.sequence = link.sequence;
  entry.first = entry.last = request.place;
  entry.branches = count(trans.branches.size());
  entry.payloads = count(trans.payloads.size());
  entry.status = trans.status;
  entry.set_facts(facts_of(trans));
  unfinished_.insert(entry);
  if (is_final(trans.status)) finishing_.push_back({entry.fingerprint, trans.update_time});
  return group_value_.size();
}

Result<std::size_t> Ledger::order_update(LogRequest& request) {
  const UpdateTrans& update = *request.update;
  UnfinishedEntry* entry = nullptr;
  {
    const MutexLock lock(mutex_);
    entry = unfinished_.find(request.fingerprint);
  }
  if (entry == nullptr) return order_after_end(request);
  // Entries do not move, and only this thread changes the fields that are read here.
  CONCERTO_CHECK(check_status(update, entry->status));
  CONCERTO_CHECK(check_indexes(*entry, update));
  CONCERTO_CHECK(check_branches(*entry, update));

  const MutexLock lock(mutex_);
  Link link;
  link.previous = entry->last;
  link.first = entry->first;
  request.place = {group_number_, append_record(group_value_, request.record, link)};
  entry->last = request.place;
  entry->branches += count(update.delta.new_branches.size());
  entry->payloads += count(update.delta.new_payloads.size());
  if (entry->chain < UINT16_MAX) ++entry->chain;
  if (update.delta.status) entry->status = *update.delta.status;
  const bool finishes = update.delta.status && is_final(*update.delta.status);
  if (finishes) finishing_.push_back({entry->fingerprint, update.delta.at});
  return group_value_.size();
}

/// A change of a finished transaction. Its record follows the last one, and the directory of the
/// transaction's segment learns the new place, as it learned that of the end.
Result<std::size_t> Ledger::order_after_end(LogRequest& request) {
  const UpdateTrans& update = *request.update;
  CONCERTO_TRY(auto finished, find_finished(request.fingerprint));
  const auto changed = changed_.find(request.fingerprint);
  if (changed != changed_.end()) finished = changed->second;
  if (!finished) return trans_not_found(update.gid);
  CONCERTO_CHECK(check_status(update, finished->status));
  const MutexLock lock(mutex_);
  Link link;
  link.previous = finished->last;
  link.first = finished->first;
  request.place = {group_number_, append_record(group_value_, request.record, link)};
  finished->last = request.place;
  changed_[request.fingerprint] = *finished;
  return group_value_.size();
}

Result<> Ledger::check_branches(const UnfinishedEntry& entry, const UpdateTrans& update) const {
  if (update.delta.new_branches.empty()) return ok();
  Chain chain;
  {
    const MutexLock lock(mutex_);
    CONCERTO_TRY(chain, walk(entry.last, false));
  }
  GroupReader reader(segments_);
  CONCERTO_CHECK(complete(chain, reader));
  CONCERTO_TRY(const Transaction trans, build(chain));
  return check_new_branches(trans, update.delta);
}

Result<std::size_t> Ledger::order_move(LogRequest& request) {
  const MutexLock lock(mutex_);
  UnfinishedEntry* const entry = unfinished_.find(request.fingerprint);
  if (entry == nullptr || is_final(entry->status) || entry->last != request.moved_from) {
    return make_error(EngineErrc::status_mismatch, "the transaction has changed meanwhile");
  }
  Link link;
  link.sequence = entry->sequence;
  link.previous = entry->last;
  request.place = {group_number_, append_record(group_value_, request.record, link)};
  entry->first = entry->last = request.place;
  entry->chain = 0;
  note_moved(entry->sequence, entry->fingerprint, entry->first);
  return group_value_.size();
}

Result<std::size_t> Ledger::order_kv(LogRequest& request) {
  const KvRecord& asked = *request.kv;
  const MutexLock lock(mutex_);
  KvEffect effect{false, asked};
  if (request.kind == LogRequest::Kind::kv_create) {
    CONCERTO_CHECK(kv_.check_create(asked));
    effect.record = kv_.created(asked);
  } else if (request.kind == LogRequest::Kind::kv_update) {
    CONCERTO_CHECK(kv_.check_update(asked));
    effect.record = kv_.updated(asked);
  } else {
    CONCERTO_CHECK(kv_.check_erase(asked.cat, asked.key));
    effect.erased = true;
  }
  request.record = effect.erased ? encode_kv_erase(asked.cat, asked.key)
                                 : encode_kv(RecordKind::kv_put, effect.record);
  request.place = {group_number_, append_record(group_value_, request.record, {})};
  if (effect.erased) {
    kv_.erase(asked.cat, asked.key);
  } else {
    kv_.put(effect.record);
  }
  kv_effects_.push_back(std::move(effect));
  return group_value_.size();
}

Ledger::Group Ledger::take_group() {
  const MutexLock lock(mutex_);
  Group group{group_number_++, std::make_shared<const std::string>(std::move(group_value_))};
  group_value_ = {};
  group_value_.reserve(group.value->size());
  recent_.add(group.number, group.value);
  return group;
}

void Ledger::written() {
  const MutexLock lock(mutex_);
  durable_group_ = group_number_ - 1;
  for (const Finishing& finishing : finishing_) {
    if (const UnfinishedEntry* entry = unfinished_.find(finishing.fingerprint)) {
      finish(*entry, finishing.at);
    }
  }
  finishing_.clear();
  for (const auto& [fingerprint, places] : changed_) finished_.put(fingerprint, places);
  changed_.clear();
  for (KvEffect& effect : kv_effects_) {
    if (effect.erased) {
      durable_kv_.erase(effect.record.cat, effect.record.key);
    } else {
      durable_kv_.put(std::move(effect.record));
    }
  }
  kv_effects_.clear();
}

void Ledger::finish(const UnfinishedEntry& entry, WallTime at) {
  const Fingerprint fingerprint = entry.fingerprint;
  finished_.put(fingerprint, {entry.sequence, entry.first, entry.last, entry.status});
  const bool is_kept = segments_.note_finished(entry.first.group, fingerprint, entry.status, at);
  if (is_kept && entry.status == TransStatus::failed) {
    failed_[entry.sequence] = {{entry.sequence, fingerprint}, entry.facts(), entry.first.group, at};
  }
  unfinished_.erase(fingerprint);
}

void Ledger::note_moved(std::uint64_t sequence, const Fingerprint& fingerprint,
                        const Place& first) {
  const auto segment = segments_.of(first.group);
  if (segment && sequence < segment->first_sequence()) moved_[sequence] = fingerprint;
}

Result<std::optional<FinishedPlaces>> Ledger::find_finished(const Fingerprint& fingerprint) const {
  std::vector<SegmentRef> maybe;
  {
    const MutexLock lock(mutex_);
    if (const FinishedPlaces* found = pending(fingerprint)) return std::optional{*found};
    maybe = segments_.maybe_in(fingerprint);
  }
  for (const SegmentRef& segment : maybe) {
    CONCERTO_TRY(const auto found, segment->find_finished(fingerprint));
    if (found) return found;
  }
  return std::optional<FinishedPlaces>{};
}

const FinishedPlaces* Ledger::pending(const Fingerprint& fingerprint) const {
  const FinishedPlaces* found = finished_.find(fingerprint);
  return found != nullptr ? found : flushing_.find(fingerprint);
}

}  // namespace concerto::persist
