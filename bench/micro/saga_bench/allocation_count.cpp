#include "allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// By default, the forms for arrays and those without exceptions call the two below. The forms with
// an alignment do not, but the measured programs use none of them.

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

// Asio asks for coroutine frames here. The linker leads calls of aligned_alloc to this function,
// and this function's call to what the program would have called.
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  concerto::bench::count.fetch_add(1, std::memory_order_relaxed);
  return __real_aligned_alloc(alignment, bytes);
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
