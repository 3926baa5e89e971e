#pragma once

#include <cstddef>
#include <cstdint>

#include "chunked_array.hpp"
#include "packed_gid.hpp"

namespace concerto {

/// The gids of waiting transactions, with what `Alarms` keeps of each. A gid takes 36 bytes, so
/// that millions of them fit into memory. It keeps its index as long as it is in the table. Not
/// thread-safe.
///
/// The table uses linear hashing: an entry that has no bucket of its own adds one bucket. So there
/// is no pause in which the whole table is hashed again, and no moment at which an old and a new
/// table take memory.
class WaitingTable {
 public:
  using Index = std::uint32_t;
  static constexpr Index nothing = (1U << 29U) - 1;  ///< all bits of an index are set

  struct Entry {
    PackedGid gid;
    std::uint32_t created = 0;                ///< seconds since 1970
    std::uint32_t heap_index : 29 = nothing;  ///< the index in AlarmHeaps
    std::uint32_t type : 3 = 0;               ///< a TransType; 0 if the transaction was not added
    std::uint32_t next : 29 = nothing;        ///< in the bucket, or in the list of free entries
    std::uint32_t next_pass_first : 1 = 0;    ///< the time in the heap is that of the next pass
    std::uint32_t has_later : 1 = 0;          ///< there is a second alarm, which is in no heap
  };
  static_assert(sizeof(Entry) == 32, "two to a cache line");

  WaitingTable();

  /// The gid's index, `nothing` if it is not here.
  Index find(const Gid& gid) const noexcept;
  Index find_or_insert(const Gid& gid);
  void erase(Index index) noexcept;

  Entry& operator[](Index index) noexcept { return entries_[index]; }
  const Entry& operator[](Index index) const noexcept { return entries_[index]; }

  /// All indexes are below this number. A free entry has type 0.
  std::size_t index_end() const noexcept { return entries_.size(); }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t bucket_of(std::uint32_t hash) const noexcept;
  Index find(const GidKey& key, std::size_t bucket) const noexcept;
  void link(Index index, std::size_t bucket) noexcept;
  Index take_index(const GidKey& key);
  void add_bucket();

  ChunkedArray<Entry> entries_;
  ChunkedArray<Index> buckets_;  ///< the first entry of each bucket
  std::size_t bucket_mask_ = 0;
  Index free_ = nothing;
  std::size_t size_ = 0;
};

}  // namespace concerto
