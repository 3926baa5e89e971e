// A store on a disk that loses power, forgets writes or fails, at every operation in turn.

#include <filesystem>
#include <tuple>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "fault_disk.hpp"
#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;

namespace {

using Stores = std::unique_ptr<LevelDbStore>;

/// The circumstances under which the store works.
struct Shape {
  bool tiny_segments = false;
  std::size_t data_bytes = 0;  ///< of each transaction; with enough of it LevelDB changes logs
  bool resumes_logs = false;   ///< a start has no room to make tables of logs
};

class StoreCrash : public testing::Test {
 protected:
  static constexpr std::uint64_t early_operations_max = 97;

  struct Run {
    explicit Run(const Shape& used) : shape(used), options(small_options(dir.path() + "/store")) {
      options.disk = &disk;
      options.zero_step_bytes = 4096;
      options.write_buffer_bytes = 64 << 10;
      options.segment_bytes = shape.tiny_segments ? 2000 : 1 << 20;
      if (shape.resumes_logs) disk.tell_free(0);
    }

    Result<Stores> open() { return LevelDbStore::open(options, clock, log); }

    const Shape shape;
    TempDir dir;
    FaultDisk disk;
    StoreClock clock;
    LogLines log;
    LevelDbOptions options;
    StoreHistory history;
  };

  /// Creates, makes progress, decides, ends and maintains, until something fails.
  static bool work(Run& run, LevelDbStore& store, const std::string& prefix) {
    StoreHistory& history = run.history;
    for (int i = 0; i < 4; ++i) {
      const std::string gid = prefix + std::to_string(i);
      const auto progress = outcome(1, BranchStatus::succeed, 1);
      Transaction trans = sample_saga(gid, i);
      trans.custom_data.append(run.shape.data_bytes, ' ');
      if (!history.create(store, trans, Durability::durable)) return false;
      if (!history.update(store, gid, progress, Durability::progress)) return false;
      if (i == 1 && !store.maintain()) return false;
      const auto status = i % 2 == 0 ? TransStatus::succeed : TransStatus::aborting;
      if (!history.update(store, gid, new_status(status, 2), Durability::durable)) return false;
    }
    if (!store.maintain()) return false;
    return history.update(store, prefix + "1", new_status(TransStatus::failed, 3),
                          Durability::durable);
  }

  /// Several lives of one store: with a fault at the nth operation; with a power loss at an early
  /// one, so that recovery is interrupted, too; and without faults. True if the first fault never
  /// came.
  static bool live_and_check(std::uint64_t nth, FaultDisk::Fault fault, FaultDisk::Memory memory,
                             const Shape& shape) {
    SCOPED_TRACE("fault at operation " + std::to_string(nth));
    Run run(shape);
    const bool faulted = live(run, nth, fault, memory, "a");
    live(run, nth % early_operations_max + 1, FaultDisk::Fault::power_loss, memory, "b");
    auto store = run.open();
    EXPECT_TRUE(store) << store.error().detail;
    if (!store) return true;
    run.history.check(**store);
    EXPECT_TRUE(work(run, **store, "c"));
    store->reset();
    store = run.open();
    EXPECT_TRUE(store) << store.error().detail;
    if (store) run.history.check(**store);
    return !faulted;
  }

  /// One life, which ends with a restart of the disk. True if the fault came.
  static bool live(Run& run, std::uint64_t nth, FaultDisk::Fault fault, FaultDisk::Memory memory,
                   const std::string& prefix) {
    run.disk.fail_at(nth, fault);
    if (auto store = run.open()) {
      run.history.check(**store);
      work(run, **store, prefix);
      (*store)->close();
    }
    const bool faulted = run.disk.faulted();
    run.disk.restart(memory, static_cast<std::uint32_t>(nth));
    return faulted;
  }

  static void check_every_operation(FaultDisk::Fault fault, FaultDisk::Memory memory,
                                    const Shape& shape = {}) {
    constexpr std::uint64_t operations_max = 4000;
    for (std::uint64_t nth = 1; nth < operations_max && !HasFailure(); ++nth) {
      if (live_and_check(nth, fault, memory, shape)) return;
    }
    ADD_FAILURE() << "the scenario does not come to its end";
  }
};

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenUnsyncedBytesAreForgotten) {
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::forgets);
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenUnsyncedBytesAreTorn) {
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::tears);
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenTheProcessIsKilled) {
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::keeps);
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhileSegmentsChange) {
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::forgets,
                        {.tiny_segments = true});
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhileLogsAreUsedAgain) {
  const Shape shape{.data_bytes = 24 << 10};
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::forgets, shape);
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::tears, shape);
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::keeps, shape);
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhileLogsAreResumed) {
  for (const std::size_t data_bytes : {std::size_t{0}, std::size_t{24} << 10}) {
    const Shape shape{.data_bytes = data_bytes, .resumes_logs = true};
    check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::forgets, shape);
    check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::tears, shape);
    check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::keeps, shape);
  }
  check_every_operation(FaultDisk::Fault::power_loss, FaultDisk::Memory::forgets,
                        {.tiny_segments = true, .resumes_logs = true});
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenSyncsFail) {
  check_every_operation(FaultDisk::Fault::fail_syncs, FaultDisk::Memory::forgets);
  check_every_operation(FaultDisk::Fault::fail_syncs, FaultDisk::Memory::forgets,
                        {.resumes_logs = true});
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenOneOperationFails) {
  check_every_operation(FaultDisk::Fault::fail_once, FaultDisk::Memory::keeps);
}

TEST_F(StoreCrash, KeepsWhatItAcknowledgedWhenTheDiskIsFull) {
  check_every_operation(FaultDisk::Fault::full, FaultDisk::Memory::keeps);
}

/// A store whose reset was interrupted after its identity was removed. One segment cannot be
/// removed as a whole.
void leave_half_removed(const std::string& store, const Clock& clock, Observer& observer) {
  {
    const auto whole = LevelDbStore::open(small_options(store), clock, observer).value();
    StoreHistory history;
    ASSERT_TRUE(history.create(*whole, sample_saga("g"), Durability::durable));
  }
  set_file_content(persist::segment_path(store, 1) + "/log/letters.txt", "mine");
  set_file_content(persist::creating_path(store), "removing\n");
  std::filesystem::remove(persist::identity_path(store));
}

TEST(ResetCrash, AnInterruptedOneIsFinishedWhereverThePowerGoes) {
  bool opened = false;
  for (std::uint64_t nth = 1; !opened; ++nth) {
    SCOPED_TRACE("power loss at operation " + std::to_string(nth));
    const TempDir dir;
    FaultDisk disk;
    const StoreClock clock;
    LogLines log;
    LevelDbOptions options = small_options(dir.path() + "/store");
    leave_half_removed(options.path, clock, log);
    options.disk = &disk;
    disk.fail_at(nth, FaultDisk::Fault::power_loss);
    opened = LevelDbStore::open(options, clock, log).has_value();
    disk.restart(FaultDisk::Memory::forgets);
    const auto next = LevelDbStore::open(options, clock, log);
    ASSERT_TRUE(next) << next.error().detail;
    EXPECT_EQ((*next)->unfinished_count(), 0U);
  }
}

}  // namespace
}  // namespace concerto::test
