#include "resting_table.hpp"

#include <bit>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

RestingTable::RestingTable() {
  buckets_.push_back(nothing);
}

RestingTable::Slot RestingTable::find(const Gid& gid) const noexcept {
  if (size_ == 0) return nothing;  // While all goes well, nothing rests.
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
  link(slot, bucket_of(hash));
  ++size_;
  return slot;
}

void RestingTable::erase(Slot slot) noexcept {
  Entry& entry = entries_[slot];
  Slot& head = buckets_[bucket_of(entry.gid.key().hash())];
  if (head == slot) {
    head = entry.next;
  } else {
    Slot before = head;
    while (entries_[before].next != slot) before = entries_[before].next;
    entries_[before].next = entry.next;
  }
  entry = Entry{};
  entry.next = free_ & nothing;
  free_ = slot;
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

void RestingTable::link(Slot slot, std::size_t bucket) noexcept {
  entries_[slot].next = buckets_[bucket] & nothing;
  buckets_[bucket] = slot;
}

RestingTable::Slot RestingTable::take_slot(const GidKey& key) {
  PackedGid gid(key);
  if (free_ == nothing) {
    CONCERTO_ASSERT(entries_.size() < nothing);
    entries_.push_back(Entry{});
    free_ = static_cast<Slot>(entries_.size() - 1);
  }
  const Slot slot = free_;
  free_ = entries_[slot].next;
  entries_[slot].gid = std::move(gid);
  return slot;
}

/// The new bucket takes its entries from the one that stood for it so far.
void RestingTable::add_bucket() {
  const std::size_t added = buckets_.size();
  buckets_.push_back(nothing);
  bucket_mask_ = std::bit_ceil(buckets_.size()) - 1;
  Slot rest = std::exchange(buckets_[added - std::bit_floor(added)], nothing);
  while (rest != nothing) {
    const Slot slot = rest;
    rest = entries_[slot].next;
    link(slot, bucket_of(entries_[slot].gid.key().hash()));
  }
}

}  // namespace concerto
