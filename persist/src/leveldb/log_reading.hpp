#pragma once

#include <string>

#include <leveldb/db.h>

#include "group_file.hpp"

namespace concerto::persist {

/// Hands the groups `first` to `last` of a segment's log to `use`, in their order. The database may
/// be in use: no file is held for long. Errors: store_damaged if a group is missing or does not
/// pass LevelDB's checks, store_failed, and those of `use`.
Result<> read_groups(leveldb::DB& log, const std::string& database, std::uint64_t first,
                     std::uint64_t last, const UseGroup& use);

}  // namespace concerto::persist
