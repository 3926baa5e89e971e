#pragma once

#include <cstdint>

#include <sys/types.h>

#include <concerto/core/error.hpp>

namespace concerto::bench {

/// What a process has used until a moment.
struct ProcessUse {
  double cpu_us = 0;             ///< of all its threads
  std::uint64_t disk_bytes = 0;  ///< pages that it made the kernel write, in bytes
};

/// Error: there is no such process, or it is another user's.
[[nodiscard]] Result<ProcessUse> use_of_process(pid_t process);

}  // namespace concerto::bench
