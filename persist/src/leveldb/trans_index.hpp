#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <concerto/engine/store.hpp>

#include "fingerprint.hpp"

namespace concerto::persist {

/// What an index knows of a transaction besides its status, so that a list need not read
/// transactions that cannot match. Zero: unknown.
struct TransFacts {
  std::uint32_t created = 0;  ///< seconds since 1970
  TransType type{};

  friend bool operator==(const TransFacts&, const TransFacts&) = default;
};

TransFacts facts_of(const Transaction& trans) noexcept;

/// Whether a transaction of this type and time may be one that the filter selects.
bool may_match(const ListFilter& filter, const TransFacts& facts) noexcept;

/// A transaction in an index. Sequences are in the order of creation.
struct IndexRef {
  std::uint64_t sequence = 0;
  Fingerprint fingerprint;
};

/// Sorts by sequence, newest first, removes duplicates and keeps the first `limit`.
void keep_newest(std::vector<IndexRef>& refs, std::size_t limit);

/// A transaction that finished as failed.
struct FailedEntry {
  IndexRef ref;
  TransFacts facts;
  std::uint64_t first_group = 0;  ///< where it begins; that group's segment has the entry
  WallTime at{};                  ///< when it failed
};

}  // namespace concerto::persist
