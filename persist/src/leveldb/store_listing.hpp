#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "disk.hpp"

namespace concerto::persist {

/// What a store's directory holds, judged by the names that a store gives its files.
struct StoreListing {
  bool identity = false;
  bool state = false;
  bool creating = false;
  bool remains = false;                 ///< any other file of a store: SPARE, STATE.new, ..
  std::vector<std::uint64_t> segments;  ///< numbers of the segments' directories, ascending
  std::vector<std::string> known;       ///< everything of the store, as paths from the directory
  /// Everything that no store has made, as paths from the directory. Entries that file systems and
  /// tools create, such as `lost+found` and names that begin with a dot, are left out.
  std::vector<std::string> unknown;
};

/// Looks at the directory and at its segments, and changes nothing. Errors: store_failed.
Result<StoreListing> list_store(const std::string& store);

/// Some of the names, for a line of text: `'a', 'b' and 3 more`.
std::string name_some(const std::vector<std::string>& names);

/// Removes the files of a LevelDB database or of a whole segment, then the directories, unless they
/// hold something that is not the store's: that is left. Files that are absent already are no
/// error. The removal is durable after the next sync of the directory above.
Result<> remove_database(Disk& disk, const std::string& database);
Result<> remove_segment(Disk& disk, const std::string& segment);

}  // namespace concerto::persist
