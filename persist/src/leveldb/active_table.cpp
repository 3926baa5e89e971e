#include "active_table.hpp"

#include <concerto/core/assert.hpp>

namespace concerto::persist {
namespace {

constexpr std::size_t index_min = 1024;

}  // namespace

ActiveTable::ActiveTable() : index_(index_min, nothing) {}

ActiveEntry& ActiveTable::slot(std::uint32_t number) noexcept {
  return chunks_[number / chunk_entries][number % chunk_entries];
}

const ActiveEntry& ActiveTable::slot(std::uint32_t number) const noexcept {
  return chunks_[number / chunk_entries][number % chunk_entries];
}

std::size_t ActiveTable::home(const Fingerprint& fingerprint) const noexcept {
  return fingerprint.high & (index_.size() - 1);
}

/// Where the fingerprint stands in the index, or the empty place where it belongs.
std::size_t ActiveTable::position(const Fingerprint& fingerprint) const noexcept {
  std::size_t at = home(fingerprint);
  while (index_[at] != nothing && slot(index_[at]).fingerprint != fingerprint) {
    at = (at + 1) & (index_.size() - 1);
  }
  return at;
}

ActiveEntry* ActiveTable::find(const Fingerprint& fingerprint) noexcept {
  const std::uint32_t number = index_[position(fingerprint)];
  return number == nothing ? nullptr : &slot(number);
}

const ActiveEntry* ActiveTable::find(const Fingerprint& fingerprint) const noexcept {
  const std::uint32_t number = index_[position(fingerprint)];
  return number == nothing ? nullptr : &slot(number);
}

ActiveEntry& ActiveTable::insert(const ActiveEntry& entry) {
  if ((size_ + 1) * 4 > index_.size() * 3) grow();
  if (free_.empty()) {
    const auto base = static_cast<std::uint32_t>(slots());
    chunks_.push_back(std::make_unique<ActiveEntry[]>(chunk_entries));
    for (std::uint32_t i = chunk_entries; i > 0; --i) free_.push_back(base + i - 1);
  }
  const std::size_t at = position(entry.fingerprint);
  CONCERTO_ASSERT(index_[at] == nothing);
  index_[at] = free_.back();
  free_.pop_back();
  ++size_;
  return slot(index_[at]) = entry;
}

// Removal moves later entries of the run back, so that no tombstones pile up.
void ActiveTable::erase(const Fingerprint& fingerprint) noexcept {
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = position(fingerprint);
  if (index_[hole] == nothing) return;
  slot(index_[hole]) = ActiveEntry{};
  free_.push_back(index_[hole]);
  --size_;
  for (std::size_t at = (hole + 1) & mask; index_[at] != nothing; at = (at + 1) & mask) {
    const std::size_t wanted = home(slot(index_[at]).fingerprint);
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = nothing;
}

void ActiveTable::grow() {
  std::vector<std::uint32_t> old(index_.size() * 2, nothing);
  old.swap(index_);
  for (const std::uint32_t number : old) {
    if (number != nothing) index_[position(slot(number).fingerprint)] = number;
  }
}

const ActiveEntry* ActiveTable::at_slot(std::size_t number) const noexcept {
  const ActiveEntry& entry = slot(static_cast<std::uint32_t>(number));
  return entry.first ? &entry : nullptr;
}

std::size_t ActiveTable::bytes() const noexcept {
  return slots() * sizeof(ActiveEntry) + (free_.capacity() + index_.size()) * sizeof(std::uint32_t);
}

}  // namespace concerto::persist
