#pragma once

namespace concerto::tools {

/// From now on, an allocation that fails ends the process with exit code 1 and a line on stderr
/// that names the program. Without this function the allocator would abort silently. `program` must
/// be a literal.
void end_when_out_of_memory(const char* program) noexcept;

}  // namespace concerto::tools
