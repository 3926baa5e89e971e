#include "waiting_table.hpp"

#include <bit>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

WaitingTable::WaitingTable() {
  buckets_.push_back(nothing);
}

WaitingTable::Index WaitingTable::find(const Gid& gid) const noexcept {
  if (size_ == 0) return nothing;  // The usual case: no transaction waits.
  const GidKey key(gid.view());
  return find(key, bucket_of(key.hash()));
}

WaitingTable::Index WaitingTable::find_or_insert(const Gid& gid) {
  const GidKey key(gid.view());
  const std::uint32_t hash = key.hash();
  const Index found = find(key, bucket_of(hash));
  if (found != nothing) return found;
  if (size_ == buckets_.size()) add_bucket();
  const Index index = take_index(key);
  link(index, bucket_of(hash));
  ++size_;
  return index;
}

void WaitingTable::erase(Index index) noexcept {
  Entry& entry = entries_[index];
  Index& head = buckets_[bucket_of(entry.gid.key().hash())];
  if (head == index) {
    head = entry.next;
  } else {
    Index before = head;
    while (entries_[before].next != index) before = entries_[before].next;
    entries_[before].next = entry.next;
  }
  entry = Entry{};
  entry.next = free_ & nothing;
  free_ = index;
  --size_;
}

/// The hash modulo the next power of two; if that bucket does not exist yet, modulo half of it.
std::size_t WaitingTable::bucket_of(std::uint32_t hash) const noexcept {
  const std::size_t bucket = hash & bucket_mask_;
  return bucket < buckets_.size() ? bucket : bucket & (bucket_mask_ >> 1U);
}

WaitingTable::Index WaitingTable::find(const GidKey& key, std::size_t bucket) const noexcept {
  Index index = buckets_[bucket];
  while (index != nothing && entries_[index].gid.key() != key) index = entries_[index].next;
  return index;
}

void WaitingTable::link(Index index, std::size_t bucket) noexcept {
  entries_[index].next = buckets_[bucket] & nothing;
  buckets_[bucket] = index;
}

WaitingTable::Index WaitingTable::take_index(const GidKey& key) {
  PackedGid gid(key);
  if (free_ == nothing) {
    CONCERTO_ASSERT(entries_.size() < nothing);
    entries_.push_back(Entry{});
    free_ = static_cast<Index>(entries_.size() - 1);
  }
  const Index index = free_;
  free_ = entries_[index].next;
  entries_[index].gid = std::move(gid);
  return index;
}

/// Adds a bucket, and moves its entries there from the bucket that has held them so far.
void WaitingTable::add_bucket() {
  const std::size_t added = buckets_.size();
  buckets_.push_back(nothing);
  bucket_mask_ = std::bit_ceil(buckets_.size()) - 1;
  Index rest = std::exchange(buckets_[added - std::bit_floor(added)], nothing);
  while (rest != nothing) {
    const Index index = rest;
    rest = entries_[index].next;
    link(index, bucket_of(entries_[index].gid.key().hash()));
  }
}

}  // namespace concerto
