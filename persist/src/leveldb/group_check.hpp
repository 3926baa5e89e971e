#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/persist/store_backup.hpp>

#include "store_files.hpp"

namespace concerto::persist {

/// Checks the groups of a log one after the other, and counts what is in them.
class GroupCheck {
 public:
  /// `source` is for errors: where the groups come from.
  explicit GroupCheck(std::string source) : source_(std::move(source)) {}

  /// Groups come in order. Checks every record and decodes it, and that no record refers to one
  /// that is not before it. Errors: store_damaged.
  Result<> add(std::uint64_t group, std::string_view value);
  /// Call it before the first group, if the log has a checkpoint.
  void expect_checkpoint(const StoreState& state) {
    checkpoint_first_ = state.checkpoint_first;
    checkpoint_end_ = state.checkpoint_end;
  }
  /// Call it after the last group. Errors: store_damaged, if the checkpoint is not complete.
  Result<> end() const;

  void count_into(CheckReport& report) const;
  /// Covers numbers and bytes of all groups.
  std::uint32_t checksum() const noexcept { return checksum_; }

 private:
  const std::string source_;
  CheckReport counts_;
  std::uint32_t checksum_ = 0;
  std::uint64_t checkpoint_first_ = 0;
  std::uint64_t checkpoint_end_ = 0;
  std::uint64_t checkpoint_entries_ = 0;
  bool checkpoint_complete_ = false;
};

}  // namespace concerto::persist
