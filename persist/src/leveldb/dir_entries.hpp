#pragma once

#include <string>
#include <vector>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

// What is on disk, looked at and not changed. Each error is store_failed and names path and reason.

/// `other` is what is neither file nor directory, such as a socket.
enum class EntryKind { absent, file, directory, other };

/// What a path leads to, links followed.
Result<EntryKind> kind_of(const std::string& path);

struct DirEntry {
  std::string name;
  EntryKind kind;  ///< of the entry itself: a link is `other`

  friend bool operator==(const DirEntry&, const DirEntry&) = default;
};

/// The entries of a directory, by name.
Result<std::vector<DirEntry>> list_dir(const std::string& path);

/// The one path of an existing directory, however it was spelt: absolute, without links.
Result<std::string> canonical_dir(const std::string& path);

}  // namespace concerto::persist
