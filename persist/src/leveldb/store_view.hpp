#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <leveldb/db.h>

#include <concerto/persist/store_backup.hpp>

#include "group_file.hpp"
#include "read_only_env.hpp"
#include "segment.hpp"
#include "store_files.hpp"
#include "store_lock.hpp"

namespace concerto::persist {

/// The files of a store that no process has open, for reading alone: nothing on the disk is
/// changed. While the object lives, no process can open the store. On one thread.
class StoreView {
 public:
  /// Checks what a start checks before it changes anything. Errors: store_unavailable (in use; not
  /// a store), store_damaged, not_supported, store_failed.
  static Result<std::unique_ptr<StoreView>> open(const std::string& path);
  /// The segments alone, of a store that has not become one yet. All groups up to `last_group` must
  /// be there.
  static Result<std::unique_ptr<StoreView>> open_segments(const std::string& path,
                                                          StoreState state);

  const std::string& path() const noexcept { return path_; }
  /// The file IDENTITY and what it says.
  const std::string& identity_text() const noexcept { return identity_text_; }
  const StoreIdentity& identity() const noexcept { return identity_; }
  const StoreState& state() const noexcept { return state_; }
  std::uint64_t first_group() const noexcept { return state_.segments.front().first_group; }
  std::uint64_t last_group() const noexcept { return last_group_; }
  std::uint64_t last_group_of(std::size_t index) const { return parts_[index].last_group; }

  /// As `read_groups`, of the segment with this index in the state.
  Result<> read(std::size_t index, std::uint64_t first, std::uint64_t last, const UseGroup& use);
  /// Reads a segment's directory and checks its entries. Errors: store_damaged; store_failed.
  Result<> check_directory(std::size_t index);
  /// What is worth a word and is no damage.
  const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  struct Part {
    std::string database;
    std::uint64_t last_group = 0;
    std::unique_ptr<leveldb::DB> log;
  };

  explicit StoreView(std::string path) : path_(std::move(path)) {}

  Result<> open_parts();
  Result<> open_part(std::size_t index, const LogScan& scan);

  const std::string path_;
  StoreLock lock_;
  std::string identity_text_;
  StoreIdentity identity_;
  StoreState state_;
  std::uint64_t last_group_ = 0;
  std::vector<std::string> notes_;
  ReadOnlyEnv env_{ReadOnlyEnv::Logs::of_groups};
  ReadOnlyEnv directory_env_{ReadOnlyEnv::Logs::plain};
  std::unique_ptr<leveldb::Logger> silence_;
  std::vector<Part> parts_;
};

}  // namespace concerto::persist
