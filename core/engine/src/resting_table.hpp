#pragma once

#include <cstddef>
#include <cstdint>

#include "chunked_array.hpp"
#include "packed_gid.hpp"

namespace concerto {

/// Gids with what `Alarms` keeps of each: 36 bytes, however many there are, so that millions fit.
/// A gid has a number, its slot, as long as it is here. Not thread-safe.
///
/// Linear hashing: each new entry beyond the buckets there are adds one, so that there is neither a
/// pause in which all of the table is hashed again nor memory for an old and a new one.
class RestingTable {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot nothing = (1U << 29U) - 1;  ///< all bits of a slot and of a place

  struct Entry {
    PackedGid gid;
    std::uint32_t created = 0;           ///< seconds since 1970
    std::uint32_t place : 29 = nothing;  ///< in the heap
    std::uint32_t type : 3 = 0;         ///< a TransType; 0 as long as the transaction was not added
    std::uint32_t next : 29 = nothing;  ///< the next slot of the bucket or of the free ones
    std::uint32_t wakes_first : 1 = 0;  ///< the time in the heap is the wake
    std::uint32_t has_later : 1 = 0;    ///< a second alarm, which is not in the heap
  };
  static_assert(sizeof(Entry) == 32, "two to a cache line");

  RestingTable();

  /// The gid's slot, `nothing` if it is not here.
  Slot find(const Gid& gid) const noexcept;
  Slot find_or_insert(const Gid& gid);
  void erase(Slot slot) noexcept;

  Entry& operator[](Slot slot) noexcept { return entries_[slot]; }
  const Entry& operator[](Slot slot) const noexcept { return entries_[slot]; }

  /// Slots are below this; a free one's entry has the type 0.
  std::size_t slots() const noexcept { return entries_.size(); }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t bucket_of(std::uint32_t hash) const noexcept;
  Slot find(const GidKey& key, std::size_t bucket) const noexcept;
  void link(Slot slot, std::size_t bucket) noexcept;
  Slot take_slot(const GidKey& key);
  void add_bucket();

  ChunkedArray<Entry> entries_;
  ChunkedArray<Slot> buckets_;  ///< the first entry of each
  std::size_t bucket_mask_ = 0;
  Slot free_ = nothing;
  std::size_t size_ = 0;
};

}  // namespace concerto
