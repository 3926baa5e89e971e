// The index of failed transactions in a segment's directory.

#include <algorithm>

#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include "directory_keys.hpp"
#include "segment.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

std::string failed_key(std::uint64_t sequence) {
  return tag_failed + group_key(sequence);
}

std::string encode_failed(const FailedEntry& entry) {
  std::string value = to_bytes(entry.ref.fingerprint);
  Encoder out(value);
  out.u32(entry.facts.created);
  out.u8(static_cast<std::uint8_t>(entry.facts.type));
  return value;
}

struct FailedItem {
  IndexRef ref;
  TransFacts facts;
};

/// Absent if the pair is not an entry of the index.
std::optional<FailedItem> decode_failed(std::string_view key, std::string_view value) {
  if (key.size() != 9 || value.size() != 21) return std::nullopt;
  Decoder in(value.substr(16));
  FailedItem item;
  item.ref.sequence = number_of(key.substr(1));
  item.ref.fingerprint = {number_of(value.substr(0, 8)), number_of(value.substr(8, 8))};
  item.facts.created = in.u32();
  item.facts.type = static_cast<TransType>(in.u8());
  return item;
}

std::string encode_time(WallTime time) {
  return group_key(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

}  // namespace

// The index records up to which time it has all failures. The store's state has the time of the
// newest failure: if that is later, an earlier version of this program has left some out.
Result<> Segment::write_failed(const std::vector<FailedEntry>& entries) {
  CONCERTO_TRY(WallTime newest, indexed_until());
  leveldb::WriteBatch batch;
  for (const FailedEntry& entry : entries) {
    batch.Put(failed_key(entry.ref.sequence), encode_failed(entry));
    newest = std::max(newest, entry.at);
  }
  batch.Put(std::string(1, tag_indexed), encode_time(newest));
  leveldb::WriteOptions options;
  options.sync = env_.sync;
  const leveldb::Status status = directory_->Write(options, &batch);
  if (status.ok()) return ok();
  return make_error(EngineErrc::store_failed, "the index of failed transactions in '" +
                                                  directory_database(path_) +
                                                  "' was not written: " + status.ToString());
}

Result<WallTime> Segment::indexed_until() const {
  std::string value;
  const leveldb::Status status =
      directory_->Get(checked_read(), std::string(1, tag_indexed), &value);
  if (status.IsNotFound()) return WallTime{};
  if (!status.ok()) return not_read(directory_database(path_), status);
  if (value.size() != 8) {
    return damaged(directory_database(path_), "its index of failed transactions");
  }
  return WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(number_of(value))}};
}

Result<Segment::FailedRefs> Segment::failed_refs(const ListFilter& wanted, std::uint64_t before,
                                                 std::uint64_t after, std::size_t limit,
                                                 std::size_t& looks) const {
  FailedRefs found;
  const std::unique_ptr<leveldb::Iterator> at(directory_->NewIterator(checked_scan()));
  at->Seek(failed_key(before));
  if (at->Valid()) {
    at->Prev();
  } else if (at->status().ok()) {
    at->SeekToLast();
  }
  for (; at->Valid() && found.refs.size() < limit; at->Prev()) {
    const std::string_view key = view(at->key());
    if (key.front() != tag_failed) break;
    const auto item = decode_failed(key, view(at->value()));
    if (!item) return damaged(directory_database(path_), "an entry of a failed one is malformed");
    if (item->ref.sequence <= after) break;
    if (looks == 0) {
      found.unseen = item->ref.sequence;
      break;
    }
    --looks;
    if (may_match(wanted, item->facts)) found.refs.push_back(item->ref);
  }
  if (!at->status().ok()) return not_read(directory_database(path_), at->status());
  return found;
}

Result<std::vector<FailedEntry>> Segment::unindexed_failures(WallTime newest_failure) const {
  std::vector<FailedEntry> found;
  CONCERTO_TRY(const WallTime until, indexed_until());
  if (newest_failure <= until) return found;
  const std::unique_ptr<leveldb::Iterator> at(directory_->NewIterator(checked_scan()));
  for (at->Seek(std::string(1, tag_finished)); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (key.front() != tag_finished) break;
    const auto places = decode_places(view(at->value()));
    if (!places || key.size() != 17) {
      return damaged(directory_database(path_), "an entry is malformed");
    }
    if (places->status != TransStatus::failed) continue;
    std::string known;
    if (directory_->Get(checked_read(), failed_key(places->sequence), &known).ok()) continue;
    const Fingerprint fingerprint{number_of(key.substr(1, 8)), number_of(key.substr(9))};
    found.push_back({{places->sequence, fingerprint}, {}, places->first.group, newest_failure});
  }
  if (!at->status().ok()) return not_read(directory_database(path_), at->status());
  return found;
}

}  // namespace concerto::persist
