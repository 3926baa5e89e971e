#include "resting_table.hpp"

#include <bit>
#include <utility>

namespace concerto {

RestingTable::RestingTable() {
  buckets_.push_back(nothing);
}

RestingTable::Slot RestingTable::find(const Gid& gid) const noexcept {
  const GidKey key(gid.view());
  return find(key, bucket_of(key.hash()));
}

RestingTable::Slot RestingTable::find_or_insert(const Gid& gid) {
  const GidKey key(gid.view());
  const std::uint32_t hash = key.hash();
  const Slot found = find(key, bucket_of(hash));
  if (found != nothing) return found;
  if (size_ == buckets_.size()) add_bucket();
  const Slot slot = take_slot(key);
  entries_[slot].next = std::exchange(buckets_[bucket_of(hash)], slot);
  ++size_;
  return slot;
}

void RestingTable::erase(Slot slot) noexcept {
  Entry& entry = entries_[slot];
  Slot* link = &buckets_[bucket_of(entry.gid.key().hash())];
  while (*link != slot) link = &entries_[*link].next;
  *link = entry.next;
  entry = Entry{};
  entry.next = std::exchange(free_, slot);
  --size_;
}

/// The hash modulo the next power of two; modulo the one below where that bucket is still to come.
std::size_t RestingTable::bucket_of(std::uint32_t hash) const noexcept {
  const std::size_t bucket = hash & bucket_mask_;
  return bucket < buckets_.size() ? bucket : bucket & (bucket_mask_ >> 1U);
}

RestingTable::Slot RestingTable::find(const GidKey& key, std::size_t bucket) const noexcept {
  Slot slot = buckets_[bucket];
  while (slot != nothing && entries_[slot].gid.key() != key) slot = entries_[slot].next;
  return slot;
}

RestingTable::Slot RestingTable::take_slot(const GidKey& key) {
  PackedGid gid(key);
  if (free_ == nothing) {
    entries_.push_back(Entry{});
    free_ = static_cast<Slot>(entries_.size() - 1);
  }
  const Slot slot = std::exchange(free_, entries_[free_].next);
  entries_[slot].gid = std::move(gid);
  return slot;
}

/// The new bucket takes its entries from the one that stood for it so far.
void RestingTable::add_bucket() {
  const std::size_t added = buckets_.size();
  Slot* link = &buckets_[added - std::bit_floor(added)];
  buckets_.push_back(nothing);
  bucket_mask_ = std::bit_ceil(buckets_.size()) - 1;
  while (*link != nothing) {
    const Slot slot = *link;
    Entry& entry = entries_[slot];
    if (bucket_of(entry.gid.key().hash()) != added) {
      link = &entry.next;
    } else {
      *link = std::exchange(entry.next, std::exchange(buckets_[added], slot));
    }
  }
}

}  // namespace concerto
