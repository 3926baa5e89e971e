#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "record.hpp"

namespace concerto::persist {

/// The unfinished transactions: fingerprint to places, about 68 to 72 bytes each, so that a
/// million fit. Entries do not move. Not thread-safe.
class UnfinishedTable {
 public:
  UnfinishedTable();

  UnfinishedEntry* find(const Fingerprint& fingerprint) noexcept;
  const UnfinishedEntry* find(const Fingerprint& fingerprint) const noexcept;
  /// Precondition: no entry has this fingerprint.
  UnfinishedEntry& insert(const UnfinishedEntry& entry);
  void erase(const Fingerprint& fingerprint) noexcept;

  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept;

  /// Slots are numbered from 0. A loop may release the table between two calls, and still sees
  /// every entry that was there all the time. Null for an empty slot.
  std::size_t slots() const noexcept { return chunks_.size() * chunk_entries; }
  const UnfinishedEntry* at_slot(std::size_t slot) const noexcept;
  UnfinishedEntry* at_slot(std::size_t slot) noexcept;

 private:
  static constexpr std::size_t chunk_entries = 1024;
  static constexpr std::uint32_t nothing = 0xFFFFFFFF;
  using Chunk = std::unique_ptr<UnfinishedEntry[]>;

  UnfinishedEntry& slot(std::uint32_t number) noexcept;
  const UnfinishedEntry& slot(std::uint32_t number) const noexcept;
  std::uint32_t tag(const Fingerprint& fingerprint) const noexcept;
  std::uint32_t slot_number(std::uint32_t item) const noexcept {
    return item & static_cast<std::uint32_t>(index_.size() - 1);
  }
  std::size_t home(const Fingerprint& fingerprint) const noexcept;
  std::size_t position(const Fingerprint& fingerprint) const noexcept;
  void grow();

  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> free_;
  /// Open addressing with linear probing; the size is a power of two. An item is a slot's number,
  /// which needs fewer bits than the index has places. The higher bits of the item are bits of the
  /// fingerprint, so that a lookup does not touch the entries of other transactions, each of which
  /// would be a cache miss.
  std::vector<std::uint32_t> index_;
  std::size_t size_ = 0;
};

}  // namespace concerto::persist
