#pragma once

#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "checksum.hpp"

namespace concerto::tools {

/// What a migration remembers of each transaction, in 32 bytes: its checksums in the source and in
/// the target, by a checksum of its gid.
class MovedTable {
 public:
  struct Entry {
    std::uint64_t in_source = 0;
    std::uint64_t in_target = 0;  ///< as the target keeps the transaction
    bool is_finished = false;
    bool seen_in_source = false;  ///< by the check at the end, as below
    bool seen_in_target = false;
  };

  Entry& add(const Gid& gid) { return entries_[checksum(gid.view())]; }
  Entry* find(const Gid& gid) {
    const auto found = entries_.find(checksum(gid.view()));
    return found == entries_.end() ? nullptr : &found->second;
  }
  std::size_t size() const noexcept { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  boost::unordered_flat_map<std::uint64_t, Entry> entries_;
};

}  // namespace concerto::tools
