// Other files in a store's directory, and what a start does with them.

#include "store_directory.hpp"

#include "leveldb/store_files.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

TEST_F(StoreDirectory, AnUnknownFileOrDirectoryIsLeftAloneAndNamed) {
  make_store();
  const char* const unknown[] = {
      "letters.txt",
      "segment-",
      "segment-7",
      "segment-000000",
      "segment-notes",
      "segment-000001.bak",
      "segment-000099",
      "segment-0000001",
      "IDENTITY.bak",
      "lost",
      "segment-000001/copy",
      "segment-000001/log/000001.txt",
      "segment-000001/log/MANIFEST-x",
      "segment-000001/directory/notes",
  };
  for (const std::string name : unknown) {
    for (const bool directory : {false, true}) {
      SCOPED_TRACE(name + (directory ? "/" : ""));
      const std::string path = store_ + "/" + name;
      const std::string file = directory ? path + "/letter" : path;
      if (directory) fs::create_directory(path);
      set_file_content(file, "mine");
      log_.take();
      expect_whole(store_);
      EXPECT_EQ(file_content(file), "mine");
      EXPECT_NE(log_.take().find("'" + name), std::string::npos);
      fs::remove_all(path);
    }
  }
}

TEST_F(StoreDirectory, ARefusedStartRemovesNothing) {
  make_store();
  // The next segment, prepared ahead, and marks of an interruption.
  const auto state = persist::parse_state("", file_content(store_ + "/STATE")).value();
  const auto next = state.segments.back().number + 1;
  const std::string ahead = persist::segment_path(store_, next);
  fs::create_directories(ahead + "/log");
  set_file_content(ahead + "/log/000003.log", std::string(100, '\0'));
  set_file_content(store_ + "/SPARE", std::string(100, '\0'));
  set_file_content(store_ + "/CREATING", "");
  const Files before = contents();
  for (const auto& [path, content] : before) {
    const bool derived = path.find("/directory/") != path.npos || path.ends_with("/LOCK");
    const bool spare = path.ends_with("SPARE") || path.ends_with("CREATING");
    if (derived || spare || path.starts_with(ahead) || content.empty()) continue;
    SCOPED_TRACE(path);
    fs::remove(path);
    if (path.ends_with("IDENTITY")) fs::remove(store_ + "/CREATING");
    Files damaged = contents();
    EXPECT_FALSE(open(store_));
    Files after = contents();
    for (const auto& [name, bytes] : damaged) {
      // In the sound segments, LevelDB makes tables of logs and writes another manifest. A log that
      // it no longer needs replaces the zeros in SPARE.
      if (name.ends_with(".log") || name.find("/MANIFEST-") != name.npos) continue;
      if (name.ends_with("/SPARE")) continue;
      EXPECT_TRUE(after.contains(name)) << name << " is gone";
    }
    for (const auto& [name, bytes] : before) set_file_content(name, bytes);
  }
  expect_whole(store_);
  EXPECT_FALSE(fs::exists(ahead + "/log/000003.log"));
  EXPECT_FALSE(fs::exists(store_ + "/CREATING"));
}

TEST_F(StoreDirectory, ASegmentThatTheStateDoesNotKnowAndThatHoldsGroupsIsRefused) {
  make_store();
  auto state = persist::parse_state("", file_content(store_ + "/STATE")).value();
  state.segments.pop_back();  // without a group
  const std::string lost = persist::segment_path(store_, state.segments.back().number);
  state.segments.pop_back();
  state.clean = false;
  set_file_content(store_ + "/STATE", persist::encode(state));
  const Files before = contents();
  const Opened opened = open(store_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_damaged);
  EXPECT_NE(opened.error().detail.find(lost), std::string::npos) << opened.error().detail;
  EXPECT_EQ(contents(), before);
}

TEST_F(StoreDirectory, AStoreWithoutIdentityIsNotTakenForAHalfMadeOne) {
  make_store();
  fs::remove(store_ + "/IDENTITY");
  set_file_content(store_ + "/CREATING", "creating\n");
  const Files before = contents();
  const Opened opened = open(store_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_damaged) << opened.error().detail;
  EXPECT_EQ(contents(), before);
}

TEST_F(StoreDirectory, AFreshVolumeBecomesAStore) {
  const char* const furniture[] = {
      "lost+found",   ".gitkeep", ".snapshot",   ".Trash-1000", ".zfs", "System Volume Information",
      "$RECYCLE.BIN", "@eaDir",   "aquota.user", "aquota.group"};
  for (const std::string name : furniture) {
    SCOPED_TRACE(name);
    const std::string volume = dir_.path() + "/volume-" + name;
    fs::create_directory(volume);
    if (name == ".gitkeep" || name.starts_with("aquota.")) {
      set_file_content(volume + "/" + name, "");
    } else {
      fs::create_directory(volume + "/" + name);
      set_file_content(volume + "/" + name + "/found", "something");
    }
    log_.take();
    for (int start = 0; start < 2; ++start) {
      Opened opened = open(volume);
      ASSERT_TRUE(opened) << opened.error().detail;
    }
    EXPECT_EQ(log_.take().find("left alone"), std::string::npos) << "nobody wants to hear of it";
    ASSERT_TRUE(LevelDbStore::remove(volume));
    EXPECT_TRUE(fs::exists(volume + "/" + name));
    EXPECT_TRUE(open(volume));
  }
}

TEST_F(StoreDirectory, AForeignDirectoryIsRefusedWithTheNamesAndGetsNothing) {
  fs::create_directory(store_);
  set_file_content(store_ + "/letters.txt", "mine");
  fs::create_directory(store_ + "/lost+found");
  const Files before = contents();
  const Opened opened = open(store_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_unavailable);
  EXPECT_NE(opened.error().detail.find("'letters.txt'"), std::string::npos)
      << opened.error().detail;
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace concerto::test
