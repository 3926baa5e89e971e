#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "fingerprint.hpp"
#include "segment.hpp"

namespace concerto::persist {

/// Finished transactions that are not in their segments' directories yet. The table has several
/// parts, ordered by fingerprint: a single table would move all its entries when it grows, and the
/// ledger's lock must not be held for milliseconds. Not thread-safe.
class FinishedTable {
 public:
  /// The highest bits of the fingerprint choose the part, other bits choose the place in the part.
  struct Hash {
    using is_avalanching = void;
    std::size_t operator()(const Fingerprint& value) const noexcept { return value.low; }
  };
  using Part = boost::unordered_flat_map<Fingerprint, FinishedPlaces, Hash>;
  static constexpr int part_bits = 6;
  static constexpr std::size_t part_count = std::size_t{1} << part_bits;
  using Parts = std::array<Part, part_count>;

  /// Adds the transaction, or replaces its places.
  void put(const Fingerprint& fingerprint, const FinishedPlaces& places) {
    part(fingerprint)[fingerprint] = places;
  }
  /// Adds the transactions of an older table that are not in this one.
  void add(const FinishedTable& older) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      parts_[i].insert(older.parts_[i].begin(), older.parts_[i].end());
    }
  }
  /// Null if the transaction is not in the table. Valid until the next change.
  const FinishedPlaces* find(const Fingerprint& fingerprint) const noexcept {
    const Part& found_in = parts_[number(fingerprint)];
    const auto found = found_in.find(fingerprint);
    return found != found_in.end() ? &found->second : nullptr;
  }
  /// Erases from one part, so that the caller can release a lock between two parts.
  template <class Predicate>
  void erase_if(std::size_t part, Predicate predicate) {
    boost::unordered::erase_if(parts_[part], predicate);
  }
  /// Removes everything and keeps the memory.
  void clear() noexcept {
    for (Part& some : parts_) some.clear();
  }

  const Parts& parts() const noexcept { return parts_; }

 private:
  static std::size_t number(const Fingerprint& fingerprint) noexcept {
    return static_cast<std::size_t>(fingerprint.high >> (64 - part_bits));
  }
  Part& part(const Fingerprint& fingerprint) noexcept { return parts_[number(fingerprint)]; }

  Parts parts_;
};

}  // namespace concerto::persist
