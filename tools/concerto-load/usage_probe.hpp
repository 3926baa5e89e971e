#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include <concerto/base/error.hpp>

namespace concerto::load {

/// CPU time of all threads of a process until now. Error: there is no such process.
[[nodiscard]] Result<double> cpu_us_of_process(pid_t process);

/// Resident memory of a process now; nothing if there is no such process.
std::optional<std::uint64_t> resident_bytes_of_process(pid_t process);

/// Bytes that the device under a directory has written until now, for any process. Nothing if the
/// directory is not on a device of its own. The numbers of one process in /proc/<pid>/io would not
/// do: they count whole folios of the page cache, up to 1 MiB for a change of one byte.
std::optional<std::uint64_t> device_bytes_written(const std::string& directory);

}  // namespace concerto::load
