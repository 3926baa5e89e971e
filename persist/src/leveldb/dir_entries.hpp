#pragma once

#include <string>
#include <vector>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

// These functions look at the disk and change nothing. Their only error is store_failed, which
// names path and reason.

/// `other`: neither a file nor a directory, for example a socket.
enum class EntryKind { absent, file, directory, other };

/// The kind of what a path leads to. Links are followed.
Result<EntryKind> kind_of(const std::string& path);

struct DirEntry {
  std::string name;
  EntryKind kind;  ///< of the entry itself: a link is `other`

  friend bool operator==(const DirEntry&, const DirEntry&) = default;
};

/// The entries of a directory, by name.
Result<std::vector<DirEntry>> list_dir(const std::string& path);

/// The canonical path of an existing directory: absolute and without links.
Result<std::string> canonical_dir(const std::string& path);

/// Whether `path`, which may be absent, is the directory or is to be in it. Links are followed.
Result<bool> is_within(const std::string& path, const std::string& directory);

}  // namespace concerto::persist
