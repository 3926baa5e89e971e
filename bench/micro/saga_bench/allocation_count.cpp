#include "allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// The forms with arrays and without exceptions end in these by the standard's default, those with
// an alignment do not: the programs measured here use none.

namespace concerto::bench {
namespace {

std::atomic<std::uint64_t> count{0};

}  // namespace

std::uint64_t allocation_count() noexcept {
  return count.load(std::memory_order_relaxed);
}

}  // namespace concerto::bench

void* operator new(std::size_t bytes) {
  concerto::bench::count.fetch_add(1, std::memory_order_relaxed);
  if (void* block = std::malloc(bytes > 0 ? bytes : 1)) return block;
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
