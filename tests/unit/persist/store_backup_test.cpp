// Backups of the embedded store: made while it is open and while it is closed, restored, checked.

#include <thread>

#include <gmock/gmock.h>

#include "backup_world.hpp"
#include "leveldb/store_files.hpp"

namespace concerto::test {

using persist::backup_closed_store;
using persist::restore_backup;
using persist::verify_backup;
using persist::verify_store;

namespace fs = std::filesystem;

namespace {

class StoreBackup : public testing::Test, protected BackupWorld {
 protected:
  /// A closed store with several segments.
  StoreContents make_store() {
    const auto store = open();
    write_topic(*store, "first");
    write(*store, 1, 120);
    write_topic(*store, "second");
    EXPECT_TRUE(store->maintain());
    write(*store, 1001, 1010);
    EXPECT_GE(store->probe().segments_opened.load(), 2U);
    return contents_of(*store);
  }
  Result<persist::BackupReport> back_up(const std::string& name, const std::string& base = {}) {
    return backup_closed_store(options.path, request(name, base), clock);
  }
};

std::string error_of(const auto& result) {
  return result ? "" : result.error().detail;
}

TEST_F(StoreBackup, OfAClosedStoreHasEverything) {
  const StoreContents before = make_store();
  const auto made = back_up("monday");
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->first_group, 1U);
  const auto restored_report = restore_backup(backup("monday"), restored());
  ASSERT_TRUE(restored_report) << error_of(restored_report);
  EXPECT_EQ(restored_report->last_group, made->last_group);
  EXPECT_EQ(restored_report->begun, 130U);
  EXPECT_EQ(restored_report->finished, 65U);
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackup, AndVerifyChangeNothingInTheStore) {
  make_store();
  const auto before = bytes_below(options.path);
  ASSERT_TRUE(back_up("monday"));
  const auto verified = verify_store(options.path);
  ASSERT_TRUE(verified) << error_of(verified);
  EXPECT_EQ(verified->begun, 130U);
  EXPECT_TRUE(verified->notes.empty());
  EXPECT_EQ(bytes_below(options.path), before);
}

TEST_F(StoreBackup, OfAnOpenStoreHasWhatWasAcknowledgedBefore) {
  const auto store = open();
  write(*store, 1, 60);
  const StoreContents before = contents_of(*store);
  const auto made = store->backup(request("open"));
  ASSERT_TRUE(made) << error_of(made);
  write(*store, 61, 90);
  ASSERT_TRUE(restore_backup(backup("open"), restored()));
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackup, GoesOnWhileOthersWrite) {
  const auto store = open();
  write(*store, 1, 100);
  const StoreContents before = contents_of(*store);
  std::thread other([&] {
    asio::io_context own{1};
    for (int i = 0; i < 300; ++i) {
      const Transaction saga = sample_saga("later" + std::to_string(i), i);
      ASSERT_TRUE(await_result(own, store->commit(create(saga))));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const std::string name = "b" + std::to_string(i);
    const auto made = store->backup(request(name, i == 0 ? "" : "b" + std::to_string(i - 1)));
    ASSERT_TRUE(made) << error_of(made);
  }
  other.join();
  const auto report = restore_backup(backup("b4"), restored());
  ASSERT_TRUE(report) << error_of(report);
  const StoreContents after = contents_at(restored());
  for (const auto& [gid, trans] : before.transactions) {
    ASSERT_TRUE(after.transactions.contains(gid)) << gid;
    EXPECT_EQ(after.transactions.at(gid), trans);
  }
}

TEST_F(StoreBackup, OfAnEmptyStoreIsRestored) {
  { const auto store = open(); }
  ASSERT_TRUE(back_up("empty"));
  ASSERT_TRUE(verify_backup(backup("empty")));
  const auto report = restore_backup(backup("empty"), restored());
  ASSERT_TRUE(report) << error_of(report);
  const auto store = open_at(restored());
  EXPECT_TRUE(contents_of(*store).transactions.empty());
  write(*store, 1, 5);
}

TEST_F(StoreBackup, IncrementsHoldOnlyWhatIsNew) {
  make_store();
  const auto full = back_up("full");
  {
    const auto store = open();
    write(*store, 121, 125);
  }
  const auto first = back_up("one", "full");
  ASSERT_TRUE(first) << error_of(first);
  EXPECT_EQ(first->first_group, full->last_group + 1);
  EXPECT_LT(first->bytes, full->bytes / 5);
  StoreContents before;
  {
    const auto store = open();
    write(*store, 126, 150);
    before = contents_of(*store);
  }
  ASSERT_TRUE(back_up("two", "one"));
  ASSERT_TRUE(back_up("nothing-new", "two"));
  const auto verified = verify_backup(backup("nothing-new"));
  ASSERT_TRUE(verified) << error_of(verified);
  ASSERT_TRUE(restore_backup(backup("nothing-new"), restored()));
  EXPECT_EQ(contents_at(restored()), before);
  const auto listed = persist::list_backups(backups());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->size(), 4U);
}

TEST_F(StoreBackup, ARestoredStoreGoesOnWithItsChain) {
  make_store();
  ASSERT_TRUE(back_up("full"));
  ASSERT_TRUE(restore_backup(backup("full"), restored()));
  StoreContents before;
  {
    const auto store = open_at(restored());
    ASSERT_TRUE(store->maintain());
    write(*store, 200, 230);
    before = contents_of(*store);
  }
  const auto made = backup_closed_store(restored(), request("next", "full"), clock);
  ASSERT_TRUE(made) << error_of(made);
  const std::string again = dir.path() + "/again";
  ASSERT_TRUE(restore_backup(backup("next"), again));
  EXPECT_EQ(contents_at(again), before);
}

TEST_F(StoreBackup, ABaseOfADivergedStoreIsRefused) {
  make_store();
  ASSERT_TRUE(back_up("old"));
  ASSERT_TRUE(restore_backup(backup("old"), restored()));
  {
    const auto store = open();
    write(*store, 300, 305);
  }
  ASSERT_TRUE(back_up("newer", "old"));
  {
    const auto store = open_at(restored());
    write(*store, 400, 420);
  }
  const auto made = backup_closed_store(restored(), request("wrong", "newer"), clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, testing::HasSubstr("was restored meanwhile"));
  EXPECT_FALSE(fs::exists(backup("wrong")));
}

TEST_F(StoreBackup, ABaseThatTheStoreHasDroppedIsRefused) {
  options.retention.finished_expire = options.retention.failed_expire = std::chrono::seconds{100};
  {
    const auto store = open();
    write(*store, 1, 20);
    ASSERT_TRUE(store->backup(request("old")));
    write(*store, 21, 120);
    ASSERT_TRUE(store->maintain());
    clock.advance(std::chrono::hours{100});
    write(*store, 1'121, 1'220);
    ASSERT_TRUE(store->maintain());
    ASSERT_GE(store->probe().segments_dropped.load(), 1U);
    const auto made = store->backup(request("new", "old"));
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().detail, testing::HasSubstr("make a full backup"));
    ASSERT_TRUE(store->backup(request("full")));
  }
  // Unfinished transactions of the dropped segments are there.
  const StoreContents before = contents_at(options.path);
  const auto report = restore_backup(backup("full"), restored());
  ASSERT_TRUE(report) << error_of(report);
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackup, NothingBuildsOnAChainThatCannotBeRestored) {
  make_store();
  ASSERT_TRUE(back_up("full"));
  {
    const auto store = open();
    write(*store, 121, 124);
  }
  ASSERT_TRUE(back_up("one", "full"));
  const std::string cut = files_below(backup("full"), ".groups").at(0);
  const std::string sound = file_content(cut);
  set_file_content(cut, sound.substr(1));
  EXPECT_EQ(back_up("two", "one").error().code, EngineErrc::store_damaged);
  std::string changed = sound;
  changed[sound.size() / 2] ^= 1;
  set_file_content(cut, changed);  // which only a reader notices
  const persist::BackupRequest careful{backups(), "two", "one", true, {}, nullptr};
  const auto try_again = [&] { return backup_closed_store(options.path, careful, clock); };
  EXPECT_EQ(try_again().error().code, EngineErrc::store_damaged);
  set_file_content(cut, sound);
  std::filesystem::rename(backup("full"), backup("elsewhere"));
  EXPECT_EQ(back_up("two", "one").error().code, EngineErrc::store_unavailable);
  std::filesystem::rename(backup("elsewhere"), backup("full"));
  EXPECT_TRUE(try_again());
}

TEST_F(StoreBackup, OfAnotherStoreIsNoBase) {
  make_store();
  ASSERT_TRUE(back_up("mine"));
  const std::string other = dir.path() + "/other";
  {
    const auto store = open_at(other);
    write(*store, 1, 200);
  }
  const auto made = backup_closed_store(other, request("theirs", "mine"), clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, testing::HasSubstr("another store"));
}

TEST_F(StoreBackup, EveryChangedByteIsFound) {
  make_store();
  ASSERT_TRUE(back_up("full"));
  {
    const auto store = open();
    write(*store, 121, 124);
  }
  ASSERT_TRUE(back_up("one", "full"));
  for (const std::string& file : files_below(backups(), "")) {
    const std::string sound = file_content(file);
    for (std::size_t at = 0; at < sound.size(); at += sound.size() / 7 + 1) {
      std::string broken = sound;
      broken[at] = static_cast<char>(broken[at] ^ 1);
      set_file_content(file, broken);
      EXPECT_FALSE(verify_backup(backup("one"))) << file << " at " << at;
      EXPECT_FALSE(restore_backup(backup("one"), restored())) << file << " at " << at;
      EXPECT_FALSE(fs::exists(restored()));
    }
    set_file_content(file, sound.substr(0, sound.size() - 1));
    EXPECT_FALSE(verify_backup(backup("one"))) << file << " without its last byte";
    set_file_content(file, sound + "x");
    EXPECT_FALSE(verify_backup(backup("one"))) << file << " with another byte";
    fs::remove(file);
    EXPECT_FALSE(verify_backup(backup("one"))) << file << " is missing";
    set_file_content(file, sound);
  }
  EXPECT_TRUE(verify_backup(backup("one")));
}

TEST_F(StoreBackup, ARestoreNeedsAnEmptyDirectory) {
  make_store();
  ASSERT_TRUE(back_up("full"));
  const auto over_itself = restore_backup(backup("full"), options.path);
  ASSERT_FALSE(over_itself);
  EXPECT_THAT(over_itself.error().detail, testing::HasSubstr("is not empty"));
  fs::create_directory(restored());
  set_file_content(restored() + "/photo.jpg", "x");
  const auto over_others = restore_backup(backup("full"), restored());
  ASSERT_FALSE(over_others);
  EXPECT_THAT(over_others.error().detail, testing::HasSubstr("photo.jpg"));
  EXPECT_EQ(file_content(restored() + "/photo.jpg"), "x");
  fs::remove(restored() + "/photo.jpg");
  EXPECT_TRUE(restore_backup(backup("full"), restored()));
}

TEST_F(StoreBackup, AnInterruptedRestoreIsNoStoreAndIsRunAgain) {
  const StoreContents before = make_store();
  ASSERT_TRUE(back_up("full"));
  const auto stopped =
      restore_backup(backup("full"), restored(),
                     [](std::uint64_t done, std::uint64_t all) { return done * 2 < all; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::shutting_down);
  persist::LevelDbOptions there = options;
  there.path = restored();
  const auto opened = persist::LevelDbStore::open(there, clock, log);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, testing::HasSubstr("run it again"));
  EXPECT_FALSE(verify_store(restored()));
  ASSERT_TRUE(restore_backup(backup("full"), restored()));
  EXPECT_EQ(contents_at(restored()), before);
}

TEST_F(StoreBackup, NamesAndWhatIsThereAreChecked) {
  make_store();
  for (const char* name : {"", ".", "..", "a/b", "x.partial", ".hidden", "a b"}) {
    EXPECT_FALSE(back_up(name)) << name;
    if (*name != '\0') {
      EXPECT_FALSE(back_up("fine", name)) << name;
    }
  }
  ASSERT_TRUE(back_up("full"));
  const auto again = back_up("full");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().detail, testing::HasSubstr("exists"));
  fs::create_directory(backup("next.partial"));
  set_file_content(backup("next.partial") + "/notes.txt", "mine");
  EXPECT_FALSE(back_up("next"));
  EXPECT_EQ(file_content(backup("next.partial") + "/notes.txt"), "mine");
}

TEST_F(StoreBackup, GoesNeitherIntoItsStoreNorBack) {
  make_store();
  const auto before = bytes_below(options.path);
  for (const std::string inside : {"", "/backups", "/x/../backups/deep", "/."}) {
    auto asked = request("full", {});
    asked.directory = options.path + inside;
    const auto made = backup_closed_store(options.path, asked, clock);
    ASSERT_FALSE(made) << inside;
    EXPECT_THAT(made.error().detail, testing::HasSubstr("in the store"));
  }
  EXPECT_EQ(bytes_below(options.path), before);
  auto beside = request("full", {});
  beside.directory = options.path + "-backups";  // begins as the store's path does
  ASSERT_TRUE(backup_closed_store(options.path, beside, clock));
  const std::string backup = beside.directory + "/full";
  const auto bytes = bytes_below(backup);
  EXPECT_FALSE(restore_backup(backup, backup));
  const auto inside = restore_backup(backup, backup + "/store");
  ASSERT_FALSE(inside);
  EXPECT_THAT(inside.error().detail, testing::HasSubstr("in the backup"));
  EXPECT_EQ(bytes_below(backup), bytes);
  // Nor is any other store, or a backup of one, put there.
  for (const std::string& place :
       {options.path + "/more", options.path + "/one/two", backup + "/x"}) {
    persist::LevelDbOptions there = options;
    there.path = place;
    EXPECT_FALSE(persist::LevelDbStore::open(there, clock, log)) << place;
  }
  const auto in_store = restore_backup(backup, options.path + "/restored");
  ASSERT_FALSE(in_store);
  EXPECT_THAT(in_store.error().detail, testing::HasSubstr("must hold nothing else"));
  EXPECT_EQ(bytes_below(backup), bytes);
  EXPECT_EQ(bytes_below(options.path), before);
}

TEST_F(StoreBackup, AStoreInUseIsNeitherVerifiedNorCopiedByOthers) {
  const auto store = open();
  EXPECT_FALSE(verify_store(options.path));
  const auto made = back_up("mine");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, testing::HasSubstr("another process"));
}

TEST_F(StoreBackup, VerifyFindsWhatAStartWouldFind) {
  make_store();
  const auto tables = files_below(options.path, ".ldb");
  ASSERT_FALSE(tables.empty());
  for (const std::string& table : tables) {
    if (table.find("/log/") == std::string::npos) continue;
    const std::string sound = file_content(table);
    std::string broken = sound;
    broken[broken.size() / 3] = static_cast<char>(broken[broken.size() / 3] ^ 4);
    set_file_content(table, broken);
    EXPECT_FALSE(verify_store(options.path)) << table;
    fs::remove(table);
    EXPECT_FALSE(verify_store(options.path)) << table << " is missing";
    set_file_content(table, sound);
  }
  EXPECT_TRUE(verify_store(options.path));
  const std::string state = persist::state_path(options.path);
  const std::string text = file_content(state);
  fs::remove(state);
  EXPECT_FALSE(verify_store(options.path));
  set_file_content(state, text);
  EXPECT_TRUE(verify_store(options.path));
}

TEST_F(StoreBackup, VerifySaysThatADirectoryIsLost) {
  make_store();
  fs::remove(files_below(options.path, "/directory/CURRENT").front());
  const auto verified = verify_store(options.path);
  ASSERT_TRUE(verified) << error_of(verified);
  ASSERT_EQ(verified->notes.size(), 1U);
  EXPECT_THAT(verified->notes.front(), testing::HasSubstr("makes all directories anew"));
}

}  // namespace
}  // namespace concerto::test
