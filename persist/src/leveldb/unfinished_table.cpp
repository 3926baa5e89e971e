#include "unfinished_table.hpp"

#include <concerto/base/assert.hpp>

namespace concerto::persist {
namespace {

constexpr std::size_t index_min = 1024;

}  // namespace

UnfinishedTable::UnfinishedTable() : index_(index_min, nothing) {}

UnfinishedEntry& UnfinishedTable::slot(std::uint32_t number) noexcept {
  return chunks_[number / chunk_entries][number % chunk_entries];
}

const UnfinishedEntry& UnfinishedTable::slot(std::uint32_t number) const noexcept {
  return chunks_[number / chunk_entries][number % chunk_entries];
}

std::uint32_t UnfinishedTable::tag(const Fingerprint& fingerprint) const noexcept {
  return static_cast<std::uint32_t>(fingerprint.low >> 32) & ~slot_number(nothing);
}

std::size_t UnfinishedTable::home(const Fingerprint& fingerprint) const noexcept {
  return fingerprint.high & (index_.size() - 1);
}

/// Where the fingerprint is in the index, or the empty place where it belongs.
std::size_t UnfinishedTable::position(const Fingerprint& fingerprint) const noexcept {
  const std::uint32_t wanted = tag(fingerprint);
  std::size_t at = home(fingerprint);
  for (; index_[at] != nothing; at = (at + 1) & (index_.size() - 1)) {
    const std::uint32_t found = slot_number(index_[at]);
    if (index_[at] - found == wanted && slot(found).fingerprint == fingerprint) break;
  }
  return at;
}

UnfinishedEntry* UnfinishedTable::find(const Fingerprint& fingerprint) noexcept {
  const std::uint32_t item = index_[position(fingerprint)];
  return item == nothing ? nullptr : &slot(slot_number(item));
}

const UnfinishedEntry* UnfinishedTable::find(const Fingerprint& fingerprint) const noexcept {
  const std::uint32_t item = index_[position(fingerprint)];
  return item == nothing ? nullptr : &slot(slot_number(item));
}

UnfinishedEntry& UnfinishedTable::insert(const UnfinishedEntry& entry) {
  if ((size_ + 1) * 4 > index_.size() * 3) grow();
  if (free_.empty()) {
    const auto base = static_cast<std::uint32_t>(slots());
    chunks_.push_back(std::make_unique<UnfinishedEntry[]>(chunk_entries));
    for (std::uint32_t i = chunk_entries; i > 0; --i) free_.push_back(base + i - 1);
  }
  const std::size_t at = position(entry.fingerprint);
  CONCERTO_ASSERT(index_[at] == nothing);
  // Slots are taken from the lowest on, so that no slot's number has all bits of the index's size.
  const std::uint32_t taken = free_.back();
  free_.pop_back();
  CONCERTO_ASSERT(taken < slot_number(nothing));
  index_[at] = tag(entry.fingerprint) | taken;
  ++size_;
  return slot(taken) = entry;
}

// Removal moves later entries of the run back, so that no tombstones pile up.
void UnfinishedTable::erase(const Fingerprint& fingerprint) noexcept {
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = position(fingerprint);
  if (index_[hole] == nothing) return;
  slot(slot_number(index_[hole])) = UnfinishedEntry{};
  free_.push_back(slot_number(index_[hole]));
  --size_;
  for (std::size_t at = (hole + 1) & mask; index_[at] != nothing; at = (at + 1) & mask) {
    const std::size_t wanted = home(slot(slot_number(index_[at])).fingerprint);
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = nothing;
}

void UnfinishedTable::grow() {
  std::vector<std::uint32_t> old(index_.size() * 2, nothing);
  old.swap(index_);
  for (const std::uint32_t item : old) {
    if (item == nothing) continue;
    const auto moved = item & static_cast<std::uint32_t>(old.size() - 1);
    const Fingerprint& fingerprint = slot(moved).fingerprint;
    index_[position(fingerprint)] = tag(fingerprint) | moved;
  }
}

const UnfinishedEntry* UnfinishedTable::at_slot(std::size_t number) const noexcept {
  const UnfinishedEntry& entry = slot(static_cast<std::uint32_t>(number));
  return entry.first ? &entry : nullptr;
}

UnfinishedEntry* UnfinishedTable::at_slot(std::size_t number) noexcept {
  UnfinishedEntry& entry = slot(static_cast<std::uint32_t>(number));
  return entry.first ? &entry : nullptr;
}

std::size_t UnfinishedTable::bytes() const noexcept {
  return slots() * sizeof(UnfinishedEntry) +
         (free_.capacity() + index_.size()) * sizeof(std::uint32_t);
}

}  // namespace concerto::persist
