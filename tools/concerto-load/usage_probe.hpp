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

/// Bytes that the device under a directory has written until now, whoever caused them; nothing if
/// no device of its own is there. What /proc/<pid>/io says of one process counts whole folios of
/// the page cache, up to 1 MiB for a change of one byte, so the device has to be asked.
std::optional<std::uint64_t> device_bytes_written(const std::string& directory);

}  // namespace concerto::load
