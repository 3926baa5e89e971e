#pragma once

namespace concerto::tools {

/// Opens /dev/null on each of the descriptors 0 to 2 that is closed. Otherwise the next opened file
/// would get its number, and text for stdout or stderr would go into that file. On stdout it is
/// open for reading alone, so that the result of a program whose stdout is closed is not lost
/// without a word: writing it fails with EBADF, as on a closed stdout. Call this before any file is
/// opened. Returns false if /dev/null cannot be opened; then the process must not open anything
/// else.
[[nodiscard]] bool open_standard_streams() noexcept;

}  // namespace concerto::tools
