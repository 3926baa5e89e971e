// A part of the programs that allocate with mimalloc. Asio asks for coroutine frames with
// aligned_alloc and the alignment of every malloc. mimalloc does not know that alignment for an
// easy one and takes 100 instructions instead of 22.
#include <cstddef>
#include <mimalloc.h>

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  // mi_malloc gives 16 bytes of alignment to whatever is not smaller than that.
  const bool is_usual = alignment <= alignof(std::max_align_t) && alignment <= size;
  return is_usual ? mi_malloc(size) : mi_memalign(alignment, size);
}
