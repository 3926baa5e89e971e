#pragma once

namespace concerto::tools {

/// Opens /dev/null on each of the descriptors 0 to 2 that is closed. The next file to be opened
/// would get its number otherwise, and what is written to stdout or stderr would go into that file.
/// Before anything is opened. False when /dev/null cannot be opened; nothing else may be then.
[[nodiscard]] bool open_standard_streams() noexcept;

}  // namespace concerto::tools
