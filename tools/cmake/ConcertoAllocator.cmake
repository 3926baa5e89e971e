# What the programs allocate with; linked by programs alone, so that who embeds a library keeps
# his own choice. Why: docs/performance.md, "What was changed".

option(CONCERTO_MIMALLOC "The programs allocate with mimalloc" ON)

add_library(concerto_allocator INTERFACE)
# Sanitizers bring their own.
if(CONCERTO_MIMALLOC AND NOT CONCERTO_SANITIZE)
  find_package(mimalloc 2.0 REQUIRED)
  # It takes the place of malloc by standing before libc.
  target_link_libraries(concerto_allocator INTERFACE mimalloc)
  target_compile_definitions(concerto_allocator INTERFACE CONCERTO_MIMALLOC)
endif()
