// Directories of finished transactions that are lost, or that cannot be opened now.

#include <filesystem>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "fault_disk.hpp"
#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

class StoreRebuild : public testing::Test {
 protected:
  using Opened = Result<std::unique_ptr<LevelDbStore>>;

  Opened open(const std::string& path, FaultDisk* disk = nullptr) {
    LevelDbOptions options = small_options(path);
    options.segment_bytes = segment_bytes_;
    options.disk = disk;
    return LevelDbStore::open(options, clock_, log_);
  }

  /// Writes sagas, three of four of them finished.
  void fill(LevelDbStore& store, const std::string& prefix) {
    for (int i = 0; i < 8; ++i) {
      const std::string gid = prefix + std::to_string(i);
      Transaction saga = sample_saga(gid, i);
      saga.payloads[0] = std::string(payload_bytes_, 'x');
      ASSERT_TRUE(history_.create(store, saga, Durability::durable));
      if (i % 4 == 0) continue;
      const auto end = new_status(TransStatus::succeed, 2);
      ASSERT_TRUE(history_.update(store, gid, end, Durability::durable));
    }
  }

  /// A closed store whose directories a checkpoint has filled.
  void make_store() {
    const auto store = open(store_).value();
    fill(*store, "g");
    ASSERT_TRUE(store->maintain());
  }

  /// Makes the directory of the oldest remaining segment something else than a database.
  void lose_a_directory() {
    const auto currents = files_below(store_, "/directory/CURRENT");
    ASSERT_GE(currents.size(), 2U);
    fs::remove(currents.front());
  }

  bool says_made_anew() { return log_.take().find("made anew") != std::string::npos; }

  Result<> put(LevelDbStore& store, const std::string& key) {
    KvRecord record;
    record.cat = "topics";
    record.key = key;
    return await_result(io_, store.create_kv(record));
  }
  bool has(LevelDbStore& store, const std::string& key) {
    return !await_result(io_, store.find_kv("topics", key)).value().empty();
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
  asio::io_context io_{1};
  const std::string store_ = dir_.path() + "/store";
  std::size_t payload_bytes_ = 600;
  std::uint64_t segment_bytes_ = 3000;
};

TEST_F(StoreRebuild, ALostDirectoryIsMadeAnew) {
  make_store();
  lose_a_directory();
  const auto store = open(store_).value();
  EXPECT_TRUE(says_made_anew());
  history_.check(*store);
  const Transaction finished = sample_saga("g1");
  const Result<> again = await_result(io_, store->commit(create(finished)));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EngineErrc::gid_exists);
}

// LevelDB then has nothing to write, and removes a table that it has not begun.
TEST_F(StoreRebuild, ASegmentThatACrashLeftUnsealedIsSealed) {
  make_store();
  const std::string path = persist::state_path(store_);
  const auto state = [&] { return persist::parse_state(path, file_content(path)).value(); };
  persist::StoreState crashed = state();
  ASSERT_GE(crashed.segments.size(), 2U);
  for (persist::SegmentState& segment : crashed.segments) segment.sealed = false;
  set_file_content(path, persist::encode(crashed));
  const auto store = open(store_).value();
  ASSERT_TRUE(store->maintain()) << log_.take();
  EXPECT_TRUE(state().segments.front().sealed);
  EXPECT_TRUE(put(*store, "after"));
  history_.check(*store);
}

// LevelDB silently opens a database that lacks a log. The entries of that log are then absent.
TEST_F(StoreRebuild, ADirectoryWithoutItsLogIsMadeAnew) {
  segment_bytes_ = 1 << 20;  // one segment, whose directory has no table yet
  make_store();
  const std::string directory = persist::segment_path(store_, 1) + "/directory";
  const auto logs = files_below(directory, ".log");
  ASSERT_EQ(logs.size(), 1U);
  for (const bool has_list : {true, false}) {
    SCOPED_TRACE(has_list ? "with a list of logs" : "of a version without a list of logs");
    if (!has_list) fs::remove(directory + "/LOGS");
    for (const std::string& log : files_below(directory, ".log")) fs::remove(log);
    const auto store = open(store_).value();
    EXPECT_TRUE(says_made_anew());
    history_.check(*store);
    const Result<> again = await_result(io_, store->commit(create(sample_saga("g1"))));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, EngineErrc::gid_exists);
    ASSERT_TRUE(store->maintain());
  }
}

TEST_F(StoreRebuild, ADirectoryThatLacksTheOlderOfItsLogsIsMadeAnew) {
  make_store();
  const std::string directory = persist::segment_path(store_, 1) + "/directory";
  // LevelDB is in this state for a moment, while it makes a table of the older log.
  const std::string list = directory + "/LOGS";
  set_file_content(list, "+000001.log\n" + file_content(list));
  const auto store = open(store_).value();
  EXPECT_TRUE(says_made_anew());
  history_.check(*store);
}

TEST_F(StoreRebuild, ADirectoryOfAVersionWithoutAListOfLogsGetsOne) {
  make_store();
  for (const std::string& list : files_below(store_, "/directory/LOGS")) fs::remove(list);
  const auto store = open(store_).value();
  EXPECT_FALSE(says_made_anew());
  history_.check(*store);
  EXPECT_EQ(files_below(store_, "/directory/LOGS").size(),
            files_below(store_, "/directory/CURRENT").size());
}

TEST_F(StoreRebuild, AStartThatIsInterruptedMeanwhileLosesNothing) {
  make_store();
  lose_a_directory();
  const std::string lost = dir_.path() + "/lost";
  fs::rename(store_, lost);
  FaultDisk disk;
  bool opened = false;
  for (std::uint64_t nth = 1; !opened && !HasFailure(); ++nth) {
    SCOPED_TRACE("power loss at operation " + std::to_string(nth));
    fs::remove_all(store_);
    fs::copy(lost, store_, fs::copy_options::recursive);
    disk.fail_at(nth, FaultDisk::Fault::power_loss);
    opened = open(store_, &disk).has_value();
    disk.restart(FaultDisk::Memory::keeps);
    const Opened next = open(store_);
    ASSERT_TRUE(next) << next.error().detail;
    history_.check(**next);
  }
}

TEST_F(StoreRebuild, DirectoriesStayWhereTheLogIsDamaged) {
  segment_bytes_ = 20'000;
  payload_bytes_ = 4000;  // so that the table has blocks in the middle
  make_store();
  const auto tables = files_below(persist::segment_path(store_, 1) + "/log", ".ldb");
  ASSERT_FALSE(tables.empty());
  const std::string whole = file_content(tables.front());
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  const std::string current = persist::segment_path(store_, 2) + "/directory/CURRENT";
  const std::string content = file_content(current);
  set_file_content(tables.front(), flipped);
  fs::remove(current);
  const Opened refused = open(store_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EngineErrc::store_damaged) << refused.error().detail;
  set_file_content(tables.front(), whole);
  set_file_content(current, content);
  log_.take();
  const auto store = open(store_).value();
  EXPECT_FALSE(says_made_anew());
  history_.check(*store);
}

TEST_F(StoreRebuild, NeitherKeysNorUnfinishedOnesOfADroppedSegmentAreLost) {
  auto store = open(store_).value();
  ASSERT_TRUE(put(*store, "kept"));
  ASSERT_TRUE(put(*store, "erased"));
  fill(*store, "g");
  ASSERT_TRUE(await_result(io_, store->delete_kv("topics", "erased")));
  fill(*store, "h");
  ASSERT_TRUE(store->maintain());
  clock_.advance(std::chrono::hours{25});
  fill(*store, "i");
  ASSERT_TRUE(store->maintain());
  ASSERT_FALSE(fs::exists(persist::segment_path(store_, 1)));
  store->close();
  lose_a_directory();
  for (int starts = 0; starts < 2; ++starts) {
    store = open(store_).value();
    EXPECT_EQ(says_made_anew(), starts == 0);
    EXPECT_TRUE(has(*store, "kept"));
    EXPECT_FALSE(has(*store, "erased"));
    EXPECT_EQ(store->unfinished_count(), 6U);
    store.reset();
  }
}

TEST_F(StoreRebuild, ADirectoryThatCannotBeOpenedNowIsKept) {
  make_store();
  FaultDisk disk;
  bool opened = false;
  for (std::uint64_t nth = 1; !opened && !HasFailure(); ++nth) {
    SCOPED_TRACE("no descriptor from operation " + std::to_string(nth) + " on");
    disk.fail_at(nth, FaultDisk::Fault::no_descriptors);
    const Opened tried = open(store_, &disk);
    opened = tried.has_value();
    disk.heal();
    EXPECT_FALSE(says_made_anew());
  }
  const auto store = open(store_).value();
  history_.check(*store);
  EXPECT_FALSE(says_made_anew());
}

}  // namespace
}  // namespace concerto::test
