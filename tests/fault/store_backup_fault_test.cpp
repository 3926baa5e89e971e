// Backups and restores that the disk fails, that find no room, or whose process is killed.

#include <signal.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "backup_world.hpp"
#include "fault_disk.hpp"
#include "small_disk.hpp"

namespace concerto::test {

using persist::restore_backup;
using persist::verify_backup;

namespace fs = std::filesystem;

namespace {

class StoreBackupFault : public testing::Test, protected BackupWorld {
 protected:
  StoreContents make_store() {
    const auto store = open();
    write_topic(*store, "topic");
    write(*store, 1, 60);
    return contents_of(*store);
  }
  /// Runs `work` in a process that is killed as soon as `far_enough`.
  template <class Work>
  bool killed_in(Work work, std::uint64_t groups) {
    const pid_t child = ::fork();
    if (child == 0) {
      work([groups](std::uint64_t done, std::uint64_t) {
        if (done >= groups) ::kill(::getpid(), SIGKILL);
        return true;
      });
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }
};

TEST_F(StoreBackupFault, ABackupIsThereCompletelyOrNotAtAll) {
  const StoreContents before = make_store();
  bool complete = false;
  for (std::uint64_t nth = 1; !complete; ++nth) {
    ASSERT_LT(nth, 1000U);
    const std::string name = "b" + std::to_string(nth);
    FaultDisk disk;
    disk.fail_at(nth, FaultDisk::Fault::power_loss);
    auto asked = request(name);
    asked.disk = &disk;
    const auto made = persist::backup_closed_store(options.path, asked, clock);
    complete = !disk.faulted();
    EXPECT_EQ(made.has_value(), complete) << nth;
    disk.restart(FaultDisk::Memory::forgets);
    const bool is_there = fs::exists(backup(name));
    if (is_there) {
      const auto verified = verify_backup(backup(name));
      EXPECT_TRUE(verified) << nth << ": " << verified.error().detail;
    }
    if (complete) {
      ASSERT_TRUE(is_there);
      ASSERT_TRUE(restore_backup(backup(name), restored()));
    }
    // The name can be used again.
    if (!is_there) {
      ASSERT_TRUE(persist::backup_closed_store(options.path, request(name), clock));
    }
  }
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackupFault, ARestoreThatLosesPowerIsRunAgain) {
  const StoreContents before = make_store();
  ASSERT_TRUE(persist::backup_closed_store(options.path, request("full"), clock));
  bool complete = false;
  for (std::uint64_t nth = 1; !complete; nth += nth < 20 ? 1 : 7) {
    ASSERT_LT(nth, 5000U);
    fs::remove_all(restored());
    FaultDisk disk;
    disk.fail_at(nth, FaultDisk::Fault::power_loss);
    const auto done = restore_backup(backup("full"), restored(), {}, &disk);
    complete = !disk.faulted();
    EXPECT_EQ(done.has_value(), complete) << nth;
    disk.restart(FaultDisk::Memory::forgets);
    persist::LevelDbOptions there = options;
    there.path = restored();
    if (!complete) {
      // Either no coordinator starts on it, or it has everything.
      const auto again = restore_backup(backup("full"), restored());
      if (!again) {
        EXPECT_THAT(again.error().detail, testing::HasSubstr("is not empty")) << nth;
      }
    }
    EXPECT_EQ(contents_at(restored()), before) << nth;
  }
}

TEST_F(StoreBackupFault, AFullDiskFailsABackupAndLeavesNothing) {
  make_store();
  SmallDisk disk(backups());
  disk.set_size(10'000);
  auto asked = request("full");
  asked.disk = &disk;
  const auto made = persist::backup_closed_store(options.path, asked, clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, testing::HasSubstr("the disk is full"));
  EXPECT_TRUE(fs::is_empty(backups()));
  EXPECT_TRUE(persist::backup_closed_store(options.path, request("full"), clock));
}

TEST_F(StoreBackupFault, AFullDiskUnderABackupDoesNotStopTheStore) {
  const auto store = open();
  write(*store, 1, 60);
  SmallDisk disk(backups());
  disk.set_size(10'000);
  auto asked = request("full");
  asked.disk = &disk;
  ASSERT_FALSE(store->backup(asked));
  write(*store, 61, 70);
  EXPECT_FALSE(has_failed(*store));
}

TEST_F(StoreBackupFault, AFullDiskFailsARestoreThatIsRunAgain) {
  const StoreContents before = make_store();
  ASSERT_TRUE(persist::backup_closed_store(options.path, request("full"), clock));
  SmallDisk disk(restored());
  disk.set_size(20'000);
  const auto done = restore_backup(backup("full"), restored(), {}, &disk);
  ASSERT_FALSE(done);
  persist::LevelDbOptions there = options;
  there.path = restored();
  EXPECT_FALSE(persist::LevelDbStore::open(there, clock, log));
  ASSERT_TRUE(restore_backup(backup("full"), restored()));
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackupFault, KillMinusNineDuringABackupAndARestore) {
  StoreContents before;
  {
    options.segment_bytes = std::uint64_t{3} << 20;
    const auto store = open();
    for (int i = 0; i < 60; ++i) {
      Transaction saga = sample_saga("big" + std::to_string(i), i);
      saga.payloads[0] = std::string(100'000, 'x');
      ASSERT_TRUE(await_result(io, store->commit(create(saga))));
    }
    before = contents_of(*store);
  }
  const bool was_backup_killed = killed_in(
      [&](const persist::WorkProgress& progress) {
        auto asked = request("full");
        asked.progress = progress;
        const auto made = persist::backup_closed_store(options.path, asked, clock);
        if (!made) ::_exit(1);
      },
      30);
  ASSERT_TRUE(was_backup_killed);
  EXPECT_FALSE(fs::exists(backup("full")));
  ASSERT_TRUE(persist::backup_closed_store(options.path, request("full"), clock));
  const bool was_restore_killed = killed_in(
      [&](const persist::WorkProgress& progress) {
        if (!restore_backup(backup("full"), restored(), progress)) ::_exit(1);
      },
      100);
  ASSERT_TRUE(was_restore_killed);
  persist::LevelDbOptions there = options;
  there.path = restored();
  EXPECT_FALSE(persist::LevelDbStore::open(there, clock, log));
  ASSERT_TRUE(restore_backup(backup("full"), restored()));
  EXPECT_EQ(contents_at(restored()), before);
}

}  // namespace
}  // namespace concerto::test
