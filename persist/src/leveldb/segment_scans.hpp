#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "log_scan.hpp"
#include "store_files.hpp"

namespace concerto::persist {

// What is looked at before any file of an existing store is changed. These functions change
// nothing.

/// The group with which a segment's log should end, as far as the state tells.
struct WantedEnd {
  std::uint64_t group = 0;
  bool exact = false;
};

WantedEnd wanted_end(const StoreState& state, std::size_t index, const LogScan& scan);

/// The log must end with the wanted group or, unless `exact`, with a later one.
Result<> check_end(const std::string& database, std::uint64_t last, std::uint64_t wanted,
                   bool exact);

/// Looks at the logs of all segments before any of them is changed.
Result<std::vector<LogScan>> scan_segments(const std::string& store, const StoreState& state);

/// Segments that are in the directory and not in the state: dropped segments whose removal was
/// interrupted, and a segment that was prepared as the next one.
struct Leftovers {
  std::vector<std::uint64_t> segments;
  std::vector<std::string> unknown;  ///< is left alone
};

/// Errors: store_damaged if a segment that the state does not know holds groups.
Result<Leftovers> find_leftovers(const std::string& store, const StoreState& state);

}  // namespace concerto::persist
