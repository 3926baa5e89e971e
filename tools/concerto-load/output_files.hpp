#pragma once

#include <string>

#include "options.hpp"

namespace concerto::load {

/// Tries the files of --json, --hgrm and --html before the load: each can be written, and no two
/// are the same. Changes no file that is there; a new file is removed again. Returns what is wrong,
/// with option and path; empty if all is well.
std::string try_output_files(const LoadOptions& options);

/// Writes a file anew. False if that failed: stderr has the reason. An empty `path` means that
/// nothing is to be written.
bool write_output_file(const std::string& path, const std::string& text);

}  // namespace concerto::load
