#include "alarm_heaps.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

namespace concerto {

AlarmHeaps::Heap AlarmHeaps::add() {
  if (free_heaps_.empty()) {
    heaps_.emplace_back();
    return static_cast<Heap>(heaps_.size() - 1);
  }
  const Heap heap = free_heaps_.back();
  free_heaps_.pop_back();
  return heap;
}

std::size_t AlarmHeaps::index_in_heap(Index entry) const noexcept {
  const std::size_t at = table_[entry].heap_index;
  return chunk_of(at).ordinal * chunk_items + at % chunk_items;
}

SteadyTime AlarmHeaps::time_of(Index entry) const noexcept {
  const std::size_t at = table_[entry].heap_index;
  return chunk_of(at).items[at % chunk_items].time();
}

void AlarmHeaps::put(Index entry, Heap heap, SteadyTime time) {
  if (contains(entry) && heap_of(entry) != heap) take(entry);
  const std::size_t hole = contains(entry) ? index_in_heap(entry) : grow(heap);
  place_near(heaps_[heap], hole, time, entry);
  if (heap != common) list(heap);
}

bool AlarmHeaps::take(Index entry) {
  if (!contains(entry)) return false;
  const Heap number = heap_of(entry);
  State& heap = heaps_[number];
  const std::size_t hole = index_in_heap(entry);
  table_[entry].heap_index = nothing;
  const std::size_t last = heap.size - 1;
  const Item moved = item(heap, last);
  shrink(heap);
  if (hole != last) place_near(heap, hole, moved.time(), moved.entry);
  if (number == common) return false;
  list(number);
  if (heap.size > 0) return false;
  free_heaps_.push_back(number);
  return true;
}

AlarmHeaps::Index AlarmHeaps::first_in(Heap heap) const noexcept {
  return heaps_[heap].size == 0 ? nothing : item(heaps_[heap], 0).entry;
}

AlarmHeaps::Heap AlarmHeaps::earliest_heap() const noexcept {
  if (by_time_.empty()) return common;
  const bool common_first =
      heaps_[common].size > 0 && item(heaps_[common], 0).time() <= by_time_.begin()->first;
  return common_first ? common : by_time_.begin()->second;
}

SteadyTime AlarmHeaps::earliest() const noexcept {
  const State& heap = heaps_[earliest_heap()];
  return heap.size == 0 ? SteadyTime::max() : item(heap, 0).time();
}

/// Adds a hole at the end of the heap, and returns its index.
std::size_t AlarmHeaps::grow(Heap heap) {
  State& state = heaps_[heap];
  if (state.size == state.parts.size() * chunk_items) {
    if (free_chunks_.empty()) {
      CONCERTO_ASSERT((chunks_.size() + 1) * chunk_items < nothing);
      chunks_.push_back({std::make_unique_for_overwrite<Item[]>(chunk_items)});
      free_chunks_.push_back(static_cast<std::uint32_t>(chunks_.size() - 1));
    }
    const std::uint32_t number = free_chunks_.back();
    free_chunks_.pop_back();
    chunks_[number].heap = heap;
    chunks_[number].ordinal = static_cast<std::uint32_t>(state.parts.size());
    state.parts.push_back({chunks_[number].items.get(), number});
  }
  ++size_;
  return state.size++;
}

void AlarmHeaps::shrink(State& heap) {
  --size_;
  --heap.size;
  if (heap.size % chunk_items != 0) return;
  free_chunks_.push_back(heap.parts.back().chunk);
  heap.parts.pop_back();
}

/// Lists the heap in `by_time_` under its present first time.
void AlarmHeaps::list(Heap heap) {
  State& state = heaps_[heap];
  const SteadyTime first = state.size == 0 ? SteadyTime::max() : item(state, 0).time();
  if (first == state.listed) return;
  if (state.listed != SteadyTime::max()) by_time_.erase({state.listed, heap});
  if (first != SteadyTime::max()) by_time_.emplace(first, heap);
  state.listed = first;
}

/// Puts the entry into the hole, or above or below it, so that the heap stays in order.
void AlarmHeaps::place_near(const State& heap, std::size_t hole, SteadyTime time,
                            Index entry) noexcept {
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / children;
    const Item above = item(heap, parent);
    if (above.time() <= time) break;
    place(heap, hole, above.time(), above.entry);
    hole = parent;
  }
  for (;;) {
    const std::size_t begin = children * hole + 1;
    const std::size_t end = std::min(begin + children, heap.size);
    SteadyTime first = time;
    std::size_t below = hole;
    for (std::size_t child = begin; child < end; ++child) {
      const SteadyTime child_time = item(heap, child).time();
      below = child_time < first ? child : below;
      first = std::min(first, child_time);
    }
    if (below == hole) break;
    place(heap, hole, first, item(heap, below).entry);
    hole = below;
  }
  place(heap, hole, time, entry);
}

void AlarmHeaps::place(const State& heap, std::size_t index, SteadyTime time,
                       Index entry) noexcept {
  Item& placed = item(heap, index);
  placed.count = time.time_since_epoch().count();
  placed.entry = entry;
  const std::size_t chunk = heap.parts[index / chunk_items].chunk;
  table_[entry].heap_index =
      static_cast<Index>(chunk * chunk_items + index % chunk_items) & nothing;
}

}  // namespace concerto
