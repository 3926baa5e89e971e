#pragma once

#include <string>
#include <string_view>

#include "disk.hpp"

namespace concerto::persist {

// The file CREATING exists while a store is being created, removed or restored, and says which of
// the three, so that an interruption is not taken for a store that has lost its files.
inline constexpr std::string_view creating_text = "creating\n";
inline constexpr std::string_view removing_text = "removing\n";
inline constexpr std::string_view restoring_text = "restoring\n";

/// Writes the file, durably.
Result<> write_creating_mark(Disk& disk, const std::string& store, std::string_view text);

/// Makes the directory and its parents. Returns its canonical path, so that its files have the same
/// names however the path was written.
Result<std::string> make_store_directory(Disk& disk, const std::string& path);

}  // namespace concerto::persist
