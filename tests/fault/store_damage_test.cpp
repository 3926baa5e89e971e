// Files that were cut, changed or lost while no store had them open.

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "fault_disk.hpp"
#include "leveldb/log_scan.hpp"
#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;
using persist::LogContent;
using persist::read_log;

namespace fs = std::filesystem;

namespace {

class StoreDamage : public testing::Test {
 protected:
  using Opened = Result<std::unique_ptr<LevelDbStore>>;

  LevelDbOptions options(const std::string& path) {
    LevelDbOptions options = small_options(path);
    options.segment_bytes = segment_bytes_;
    return options;
  }

  Opened open(const std::string& path) { return LevelDbStore::open(options(path), clock_, log_); }

  /// Writes sagas, three of four finished, into `original_`.
  void fill(LevelDbStore& store, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string gid = "g" + std::to_string(i);
      Transaction saga = sample_saga(gid, i);
      saga.payloads[0] = std::string(300, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(history_.create(store, saga, Durability::durable));
      const auto success = outcome(1, BranchStatus::succeed, 1);
      ASSERT_TRUE(history_.update(store, gid, success, Durability::durable));
      if (i % 4 == 0) continue;
      const auto end = new_status(TransStatus::succeed, 2);
      ASSERT_TRUE(history_.update(store, gid, end, Durability::durable));
    }
  }

  /// A copy of the store as `kill -9` would leave it now.
  std::string killed_copy(const char* name = "killed") {
    const std::string copy = dir_.path() + "/" + name;
    fs::remove_all(copy);
    fs::copy(original_, copy, fs::copy_options::recursive);
    return copy;
  }

  static std::string newest_log(const std::string& store) {
    std::string newest;
    for (const std::string& log : files_below(store, ".log")) {
      if (log.find("/log/") != log.npos) newest = log;
    }
    return newest;
  }

  /// Whether a file belongs to a segment that the store uses. The next segment may be there
  /// already.
  static bool is_listed(const std::string& store, const std::string& path) {
    const std::string file = persist::state_path(store);
    const auto state = persist::parse_state(file, file_content(file)).value();
    for (const auto& segment : state.segments) {
      if (path.starts_with(persist::segment_path(store, segment.number) + "/")) return true;
    }
    return false;
  }

  /// Opening must fail with this code and these words.
  void expect_refused(const std::string& store, error_code code, const std::string& words) {
    const Opened opened = open(store);
    ASSERT_FALSE(opened) << "opened in spite of " << words;
    EXPECT_EQ(opened.error().code, code) << opened.error().detail;
    EXPECT_NE(opened.error().detail.find(words), std::string::npos) << opened.error().detail;
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
  std::string original_ = dir_.path() + "/store";
  std::uint64_t segment_bytes_ = 1 << 20;
};

TEST_F(StoreDamage, ATornTailIsDroppedAndLoggedAtEveryByteOfTheLastRecord) {
  auto store = open(original_).value();
  fill(*store, 3);
  const std::string log = newest_log(original_);
  const LogContent before = read_log(file_content(log));
  const auto end = new_status(TransStatus::aborting, 3);
  ASSERT_TRUE(history_.update(*store, "g0", end, Durability::durable));
  const std::string bytes = file_content(log);
  const LogContent after = read_log(bytes);
  ASSERT_EQ(after.last_group, before.last_group + 1);
  for (std::size_t cut = before.good_bytes; cut < after.good_bytes; ++cut) {
    for (const bool zeroed : {false, true}) {
      SCOPED_TRACE("cut at " + std::to_string(cut));
      const std::string copy = killed_copy();
      std::string torn = bytes.substr(0, cut);
      const auto content = torn.find_last_not_of('\0') + 1;
      if (zeroed) torn.resize(bytes.size());
      if (read_log(torn).last_group == after.last_group) continue;  // only zeros were cut
      set_file_content(newest_log(copy), torn);
      log_.take();
      auto opened = open(copy);
      ASSERT_TRUE(opened) << opened.error().detail;
      const std::string lines = log_.take();
      if (content > before.good_bytes) {
        const auto dropped = std::to_string(content - before.good_bytes);
        EXPECT_NE(lines.find("dropped an unfinished write of " + dropped + " byte"), lines.npos)
            << lines;
      }
      const auto loaded = await_result(history_.io(), (*opened)->load(Gid{"g0"})).value();
      ASSERT_TRUE(loaded);
      EXPECT_EQ(loaded->status, TransStatus::submitted);
      EXPECT_EQ(loaded->branches[1].status, BranchStatus::succeed);
    }
  }
}

TEST_F(StoreDamage, EveryFlippedByteBeforeTheTailIsReported) {
  auto store = open(original_).value();
  fill(*store, 2);
  const std::string log = newest_log(original_);
  const std::size_t tail = read_log(file_content(log)).good_bytes;
  const auto end = new_status(TransStatus::aborting, 3);
  ASSERT_TRUE(history_.update(*store, "g0", end, Durability::durable));
  const std::string copy = killed_copy();
  const std::string path = newest_log(copy);
  const std::string bytes = file_content(path);
  for (std::size_t at = 0; at < tail; ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    set_file_content(path, flipped);
    expect_refused(copy, EngineErrc::store_damaged, path);
  }
}

TEST_F(StoreDamage, AFlippedByteInATableOfAnOlderSegmentIsReported) {
  segment_bytes_ = 2000;
  auto store = open(original_).value();
  fill(*store, 12);
  ASSERT_TRUE(store->maintain());
  const std::string copy = killed_copy();
  const auto tables = files_below(copy, ".ldb");
  bool flipped_any = false;
  for (const std::string& table : tables) {
    if (table.find("/log/") == table.npos) continue;
    flipped_any = true;
    const std::string bytes = file_content(table);
    std::string flipped = bytes;
    flipped[bytes.size() / 3] = static_cast<char>(flipped[bytes.size() / 3] ^ 1);
    set_file_content(table, flipped);
    expect_refused(copy, EngineErrc::store_damaged, fs::path(table).parent_path().string());
    set_file_content(table, bytes);
  }
  EXPECT_TRUE(flipped_any);
}

TEST_F(StoreDamage, EveryMissingFileIsReported) {
  segment_bytes_ = 4000;
  auto store = open(original_).value();
  fill(*store, 12);
  ASSERT_TRUE(store->maintain());
  const std::string killed = killed_copy("killed");
  store->close();
  const std::string closed = killed_copy("closed");
  for (const std::string& copy : {killed, closed}) {
    for (const std::string& path : files_below(copy, "")) {
      if (path.find("/directory/") != path.npos || path.ends_with("/LOCK")) continue;
      if (path.find("/segment-") != path.npos && !is_listed(copy, path)) continue;
      SCOPED_TRACE(path);
      const std::string bytes = file_content(path);
      fs::remove(path);
      const bool identity = path.ends_with("/IDENTITY");
      expect_refused(copy, identity ? EngineErrc::store_unavailable : EngineErrc::store_damaged,
                     fs::path(path).filename().string());
      set_file_content(path, bytes);
    }
    EXPECT_TRUE(open(copy));
  }
}

TEST_F(StoreDamage, AMissingSegmentIsReported) {
  segment_bytes_ = 2000;
  auto store = open(original_).value();
  fill(*store, 8);
  store->close();
  for (const auto& entry : fs::directory_iterator(original_)) {
    if (!entry.is_directory()) continue;
    const std::string copy = killed_copy();
    const std::string name = entry.path().filename().string();
    fs::remove_all(copy + "/" + name);
    expect_refused(copy, EngineErrc::store_damaged, name);
  }
}

TEST_F(StoreDamage, ALossAfterACleanStopIsReported) {
  auto store = open(original_).value();
  fill(*store, 3);
  store->close();
  const std::string log = newest_log(original_);
  const std::string bytes = file_content(log);
  const std::uint64_t last = read_log(bytes).last_group;
  // The cut is in the middle of the last group, or exactly before it.
  std::size_t before_last = bytes.size();
  while (read_log(bytes.substr(0, before_last)).last_group == last) --before_last;
  before_last = read_log(bytes.substr(0, before_last)).good_bytes;
  for (const std::size_t cut : {bytes.size() - 1, before_last}) {
    set_file_content(log, bytes.substr(0, cut));
    expect_refused(original_, EngineErrc::store_damaged, original_);
  }
  set_file_content(log, bytes);
  auto opened = open(original_);
  ASSERT_TRUE(opened) << opened.error().detail;
  history_.check(**opened);
}

TEST_F(StoreDamage, ANewerFormatIsRefused) {
  open(original_).value()->close();
  const std::string path = persist::identity_path(original_);
  persist::StoreIdentity newer;
  newer.format = persist::format_version + 1;
  set_file_content(path, persist::encode(newer));
  expect_refused(original_, Errc::not_supported, path);
}

TEST_F(StoreDamage, AForeignDirectoryIsLeftAlone) {
  fs::create_directory(original_);
  set_file_content(original_ + "/letters.txt", "mine");
  expect_refused(original_, EngineErrc::store_unavailable, original_);
  EXPECT_FALSE(LevelDbStore::remove(original_));
  EXPECT_EQ(file_content(original_ + "/letters.txt"), "mine");
}

TEST_F(StoreDamage, RemoveTakesOnlyTheStoresOwnFiles) {
  open(original_).value()->close();
  set_file_content(original_ + "/letters.txt", "mine");
  ASSERT_TRUE(LevelDbStore::remove(original_));
  const std::vector left{original_ + "/CREATING", original_ + "/letters.txt"};
  EXPECT_EQ(files_below(original_, ""), left);
  EXPECT_TRUE(open(original_)) << "the mark says that the next store may begin here";
  EXPECT_TRUE(LevelDbStore::remove(dir_.path() + "/absent"));
}

TEST_F(StoreDamage, AStoreInUseIsRefused) {
  const auto store = open(original_).value();
  expect_refused(original_, EngineErrc::store_unavailable, "LOCK");
  const Result<> removed = LevelDbStore::remove(original_);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, EngineErrc::store_unavailable);
}

TEST_F(StoreDamage, AFailedSyncPoisonsUntilReopened) {
  FaultDisk disk;
  LevelDbOptions faulty = options(original_);
  faulty.disk = &disk;
  auto store = LevelDbStore::open(faulty, clock_, log_).value();
  ASSERT_TRUE(history_.create(*store, sample_saga("g1"), Durability::durable));
  disk.fail_at(1, FaultDisk::Fault::fail_syncs);
  const auto commit = [&](const char* gid) {
    const Transaction saga = sample_saga(gid);
    return await_result(history_.io(), store->commit(create(saga)));
  };
  EXPECT_EQ(commit("g2").error().code, EngineErrc::store_failed);
  disk.restart(FaultDisk::Memory::keeps);
  EXPECT_EQ(commit("g3").error().code, EngineErrc::store_unavailable);
  EXPECT_EQ(store->health().state, StoreHealth::State::failed);
  EXPECT_TRUE(await_result(history_.io(), store->load(Gid{"g1"})).value());
  EXPECT_FALSE(await_result(history_.io(), store->load(Gid{"g2"})).value());
  store.reset();
  store = LevelDbStore::open(faulty, clock_, log_).value();
  EXPECT_TRUE(commit("g3"));
}

TEST_F(StoreDamage, AFullDiskIsSaidInPlainWords) {
  open(original_).value()->close();
  FaultDisk disk;
  LevelDbOptions faulty = options(original_);
  faulty.disk = &disk;
  disk.fail_at(1, FaultDisk::Fault::full);
  const auto opened = LevelDbStore::open(faulty, clock_, log_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_failed);
  EXPECT_NE(opened.error().detail.find("the disk is full"), std::string::npos)
      << opened.error().detail;
}

}  // namespace
}  // namespace concerto::test
