# The allocator of the programs. Only programs link it, so that whoever embeds a library chooses the
# allocator. Why: docs/performance.md, "What was changed".

option(CONCERTO_MIMALLOC "The programs allocate with mimalloc" ON)

add_library(concerto_allocator INTERFACE)
# Sanitizers bring an allocator of their own.
if(CONCERTO_MIMALLOC AND NOT CONCERTO_SANITIZE)
  find_package(mimalloc 2.0 REQUIRED)
  # It replaces malloc because it is linked before libc.
  target_link_libraries(concerto_allocator INTERFACE mimalloc)
  target_compile_definitions(concerto_allocator INTERFACE CONCERTO_MIMALLOC)
  target_sources(concerto_allocator INTERFACE ${CMAKE_CURRENT_LIST_DIR}/aligned_alloc.cpp)
endif()
