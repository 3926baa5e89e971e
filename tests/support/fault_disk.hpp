#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "leveldb/disk.hpp"

namespace concerto::test {

/// A disk that fails or loses power at a chosen operation, and then forgets what was not synced.
///
/// The disk works on real files and remembers how to undo changes that are not durable yet: writes
/// until their file is synced, and creations, renames and removals until their directory is synced.
/// Thread-safe.
class FaultDisk final : public persist::Disk {
 public:
  enum class Fault {
    fail_once,       ///< the nth operation fails and does nothing
    fail_syncs,      ///< from the nth operation on every sync fails
    full,            ///< from the nth operation on every write fails
    no_descriptors,  ///< from the nth operation on nothing can be opened
    power_loss,      ///< from the nth operation on nothing works
  };
  /// What is left of unsynced changes after a power loss.
  enum class Memory {
    forgets,  ///< nothing
    keeps,    ///< everything, as after `kill -9`
    tears,    ///< some sectors of each write, chosen by the seed
  };

  /// Makes the nth operation from now on the faulty one; 1 is the next.
  void fail_at(std::uint64_t nth, Fault fault);
  /// Ends the fault. Nothing is undone, and files may be open.
  void heal();
  /// Sets the free room that the disk reports, whatever room there really is.
  void tell_free(std::uint64_t bytes);
  /// Whether the faulty operation has been reached.
  bool faulted() const;

  /// Lets power return: unsynced changes are undone as far as `memory` says, and the fault ends. No
  /// file may be open.
  void restart(Memory memory, std::uint32_t seed = 1);

  Result<std::unique_ptr<persist::DiskFile>> create(const std::string& path) override;
  Result<std::unique_ptr<persist::DiskFile>> open(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> create_dir(const std::string& path) override;
  Result<> remove_dir(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;

 private:
  class File;
  enum class Operation { write, sync, open, other };

  /// One change that a power loss undoes.
  struct Undo {
    std::string dir;                     ///< of a directory's change
    std::uint64_t file = 0;              ///< of a write
    std::uint64_t offset = 0;            ///< of a write
    std::string bytes;                   ///< of a write: what was there before
    std::uint64_t size = 0;              ///< of a write: the file's size before
    std::string made;                    ///< path that was created
    std::string made_from;               ///< the old path, if the file was renamed
    std::string gone;                    ///< path that was removed
    std::optional<std::string> content;  ///< the content of `gone`
  };

  Result<> step(Operation operation, const std::string& path);
  std::uint64_t file_id(const std::string& path);
  void take_back(const Undo& undo, Memory memory, std::mt19937& random);
  void take_back_write(const Undo& undo, Memory memory, std::mt19937& random);
  void take_back_entry(const Undo& undo);

  mutable std::mutex mutex_;
  std::uint64_t countdown_ = 0;  ///< 0: no fault is set
  bool faulted_ = false;
  std::optional<std::uint64_t> told_free_;
  Fault fault_ = Fault::fail_once;
  std::vector<Undo> undo_;
  std::map<std::string, std::uint64_t> ids_;  ///< files by their path now
  std::uint64_t next_id_ = 1;
};

}  // namespace concerto::test
