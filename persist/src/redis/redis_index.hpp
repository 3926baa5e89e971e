#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "redis_answer.hpp"

namespace concerto::persist {

/// How many records one command reads, so that Redis and this process do a little at a time.
inline constexpr std::size_t records_at_once = 50;

/// An entry of one of the sorted sets that have all transactions by their age.
struct IndexEntry {
  std::string gid;
  std::uint64_t place = 0;
};

/// Of an answer WITHSCORES. An entry without a place that can be is left out.
inline std::vector<IndexEntry> entries_of(Reply answer) {
  std::vector<IndexEntry> entries;
  for (std::size_t i = 0; i + 1 < answer.size(); i += 2) {
    const auto place = answer[i + 1].number();
    if (place && *place >= 0) {
      entries.push_back({std::string(answer[i].text()), static_cast<std::uint64_t>(*place)});
    }
  }
  return entries;
}

}  // namespace concerto::persist
