#pragma once

#include <memory>
#include <string>
#include <vector>

#include "record.hpp"
#include "segment_set.hpp"

namespace concerto::persist {

/// One record of a transaction, and the group's bytes to which the record points.
struct ChainRecord {
  std::shared_ptr<const std::string> bytes;
  RecordView record;
  Place place;
};

/// The records of one transaction that were found in memory, newest first, and the place where the
/// older ones begin.
struct Chain {
  std::vector<ChainRecord> records;
  Place rest;
};

/// Reads groups and keeps the last ones, because the next records are often in them. One thread at
/// a time.
class GroupReader {
 public:
  explicit GroupReader(const SegmentSet& segments) : segments_(segments) {}

  Result<std::shared_ptr<const std::string>> read(std::uint64_t group);
  Result<ChainRecord> record_at(const Place& place);

 private:
  static constexpr std::size_t kept_groups = 8;
  struct Kept {
    std::uint64_t group = 0;
    std::shared_ptr<const std::string> bytes;
  };

  const SegmentSet& segments_;
  std::vector<Kept> kept_;
  std::size_t next_ = 0;
};

/// Reads the missing records of a chain from the disk. Errors: store_damaged; trans_not_found if a
/// part is past retention.
Result<> complete(Chain& chain, GroupReader& reader);

/// Builds the transaction from a complete chain. Errors: store_damaged.
Result<Transaction> build(const Chain& chain);

/// Finds the record in a group that is in memory. Errors: store_damaged.
Result<ChainRecord> record_in(std::shared_ptr<const std::string> bytes, const Place& place);

}  // namespace concerto::persist
