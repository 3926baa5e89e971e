#include "segment_scans.hpp"

#include <algorithm>

#include "dir_entries.hpp"
#include "segment.hpp"
#include "store_listing.hpp"

namespace concerto::persist {

Result<> check_end(const std::string& database, std::uint64_t last, std::uint64_t wanted,
                   bool exact) {
  if (last == wanted || (last > wanted && !exact)) return ok();
  return make_error(EngineErrc::store_damaged,
                    "the log '" + database + "' ends with group " + std::to_string(last) +
                        ", but the store has had group " + std::to_string(wanted) +
                        (last < wanted ? ": the rest is lost" : " as its last one"));
}

WantedEnd wanted_end(const StoreState& state, std::size_t index, const LogScan& scan) {
  if (index + 1 < state.segments.size()) return {state.segments[index + 1].first_group - 1, true};
  if (state.clean) return {state.clean_last_group, true};
  return {std::max(scan.last_group, state.checkpoint_end), false};
}

Result<std::vector<LogScan>> scan_segments(const std::string& store, const StoreState& state) {
  std::vector<LogScan> scans;
  for (std::size_t i = 0; i < state.segments.size(); ++i) {
    const std::string database = log_database(segment_path(store, state.segments[i].number));
    CONCERTO_TRY(const EntryKind kind, kind_of(database));
    if (kind != EntryKind::directory) return missing(database);
    const bool newest = i + 1 == state.segments.size();
    CONCERTO_TRY(LogScan scan, scan_logs(database, newest && !state.clean));
    // What the logs alone can show is checked before LevelDB makes tables of them.
    if (scan.last_group != 0) {
      const WantedEnd wanted = wanted_end(state, i, scan);
      CONCERTO_CHECK(check_end(database, scan.last_group, wanted.group, wanted.exact));
    }
    scans.push_back(std::move(scan));
  }
  return scans;
}

Result<Leftovers> find_leftovers(const std::string& store, const StoreState& state) {
  CONCERTO_TRY(const StoreListing listing, list_store(store));
  const std::uint64_t oldest = state.segments.front().number;
  const std::uint64_t newest = state.segments.back().number;
  Leftovers found;
  for (const std::uint64_t number : listing.segments) {
    if (number >= oldest && number <= newest) continue;
    const std::string path = segment_path(store, number);
    if (number > newest + 1) {
      found.unknown.push_back(path.substr(store.size() + 1));
      continue;
    }
    found.segments.push_back(number);
    if (number < oldest) continue;
    CONCERTO_TRY(const bool used, holds_groups(log_database(path)));
    if (!used) continue;
    return make_error(EngineErrc::store_damaged, "'" + path + "' holds a part of the log, and '" +
                                                     state_path(store) + "' does not know it");
  }
  for (const std::string& path : listing.unknown) {
    const bool is_link_to_ours =
        std::any_of(state.segments.begin(), state.segments.end(), [&](const auto& segment) {
          return store + "/" + path == segment_path(store, segment.number);
        });
    if (!is_link_to_ours) found.unknown.push_back(path);
  }
  return found;
}

}  // namespace concerto::persist
