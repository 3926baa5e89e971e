#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <concerto/base/clock.hpp>

#include "waiting_table.hpp"

namespace concerto {

/// Heaps of waiting transactions, ordered by their earlier alarms: one heap for the transactions
/// that wait for their time alone, and one for each target that transactions wait for.
///
/// All heaps live in chunks of one array. The heap_index of a transaction is its index in that
/// array, which fits into 29 bits; the chunk at this index says which heap it belongs to. So a
/// transaction needs no memory of its own to wait for a target. A chunk that a heap has left is
/// kept for other heaps. Not thread-safe.
class AlarmHeaps {
 public:
  using Index = WaitingTable::Index;
  using Heap = std::uint32_t;
  /// The heap of the transactions that wait for their time alone. It always exists.
  static constexpr Heap common = 0;

  /// Keeps the heap indexes in the entries of `table`, which outlives this object.
  explicit AlarmHeaps(WaitingTable& table) : table_(table), heaps_(1) {}

  /// A new, empty heap. It is removed when the last transaction leaves it.
  Heap add();

  bool contains(Index entry) const noexcept { return table_[entry].heap_index != nothing; }
  /// The heap and the time of an entry. Precondition: the entry is in a heap.
  Heap heap_of(Index entry) const noexcept { return chunk_of(table_[entry].heap_index).heap; }
  SteadyTime time_of(Index entry) const noexcept;

  /// Puts an entry into a heap, with a time. An entry that is in a heap already is moved.
  void put(Index entry, Heap heap, SteadyTime time);
  /// Takes an entry out of its heap, if it is in one. True if the heap was removed, because this
  /// entry was its last.
  bool take(Index entry);

  /// The entry with the earliest time; `nothing` if the heap is empty.
  Index first_in(Heap heap) const noexcept;
  /// The entry with the earliest time of all heaps.
  Index first() const noexcept { return first_in(earliest_heap()); }
  SteadyTime earliest() const noexcept;

  std::size_t size() const noexcept { return size_; }
  std::size_t size_of(Heap heap) const noexcept { return heaps_[heap].size; }

 private:
  static constexpr Index nothing = WaitingTable::nothing;
  static constexpr std::size_t children = 4;
  static constexpr std::size_t chunk_items = 256;

  /// Packed, because padding would be a quarter of the size.
  struct [[gnu::packed, gnu::aligned(4)]] Item {
    SteadyTime::rep count = 0;
    Index entry = nothing;
    SteadyTime time() const noexcept {
      const SteadyTime::rep aligned = count;  // A duration is made from a reference.
      return SteadyTime(SteadyTime::duration(aligned));
    }
  };
  static_assert(sizeof(Item) == 12);

  struct Chunk {
    std::unique_ptr<Item[]> items;
    Heap heap = common;
    std::uint32_t ordinal = 0;  ///< its number among the chunks of the heap
  };
  struct Part {
    Item* items;
    std::uint32_t chunk;
  };
  struct State {
    std::vector<Part> parts;
    std::size_t size = 0;
    SteadyTime listed = SteadyTime::max();  ///< the time under which `by_time_` lists the heap
  };

  const Chunk& chunk_of(std::size_t heap_index) const noexcept {
    return chunks_[heap_index / chunk_items];
  }
  std::size_t index_in_heap(Index entry) const noexcept;
  static Item& item(const State& heap, std::size_t index) noexcept {
    return heap.parts[index / chunk_items].items[index % chunk_items];
  }
  Heap earliest_heap() const noexcept;
  std::size_t grow(Heap heap);
  void shrink(State& heap);
  void list(Heap heap);
  void place_near(const State& heap, std::size_t hole, SteadyTime time, Index entry) noexcept;
  void place(const State& heap, std::size_t index, SteadyTime time, Index entry) noexcept;

  WaitingTable& table_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> free_chunks_;
  std::vector<State> heaps_;
  std::vector<Heap> free_heaps_;
  std::set<std::pair<SteadyTime, Heap>> by_time_;  ///< first times of all heaps but `common`
  std::size_t size_ = 0;
};

}  // namespace concerto
