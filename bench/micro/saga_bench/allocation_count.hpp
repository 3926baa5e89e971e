#pragma once

#include <cstdint>

namespace concerto::bench {

/// Calls of operator new in this process so far, whatever the thread.
std::uint64_t allocation_count() noexcept;

}  // namespace concerto::bench
