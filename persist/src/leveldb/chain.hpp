#pragma once

#include <memory>
#include <string>
#include <vector>

#include "record.hpp"
#include "segment_set.hpp"

namespace concerto::persist {

/// One record of a transaction with the bytes that it shows.
struct ChainRecord {
  std::shared_ptr<const std::string> bytes;
  RecordView record;
  Place place;
};

/// The records of one transaction, newest first, as far as they were in memory, and where the
/// rest begins.
struct Chain {
  std::vector<ChainRecord> records;
  Place rest;
};

/// Reads groups, and keeps the last ones for the records that follow. One thread at a time.
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

/// Reads what is missing of a chain, from disk. Errors: store_damaged; trans_not_found when a part
/// is past retention.
Result<> complete(Chain& chain, GroupReader& reader);

/// The transaction that a complete chain makes. Errors: store_damaged.
Result<Transaction> build(const Chain& chain);

/// The record in a group in memory. Errors: store_damaged.
Result<ChainRecord> record_in(std::shared_ptr<const std::string> bytes, const Place& place);

}  // namespace concerto::persist
