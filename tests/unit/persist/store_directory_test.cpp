// How the store's path may be spelt, and what else may lie in its directory.

#include <filesystem>
#include <map>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <concerto/persist/leveldb_store.hpp>

#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbStore;
using persist::StoreState;

namespace fs = std::filesystem;

namespace {

using Files = std::map<std::string, std::string>;

class StoreDirectory : public testing::Test {
 protected:
  using Opened = Result<std::unique_ptr<LevelDbStore>>;

  Opened open(const std::string& path) {
    auto options = small_options(path);
    options.segment_bytes = 300;
    return LevelDbStore::open(options, clock_, log_);
  }

  /// A closed store of several segments.
  void make_store() {
    auto store = open(store_).value();
    for (int i = 0; i < 6; ++i) {
      const std::string gid = "g" + std::to_string(i);
      ASSERT_TRUE(history_.create(*store, sample_saga(gid, i), Durability::durable));
    }
    store->close();
  }

  void expect_whole(const std::string& path) {
    Opened opened = open(path);
    ASSERT_TRUE(opened) << opened.error().detail;
    history_.check(**opened);
    (*opened)->close();
  }

  /// Every file below the directory, with its content.
  Files contents() const {
    Files found;
    for (const std::string& path : files_below(dir_.path(), "")) found[path] = file_content(path);
    return found;
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
  const std::string store_ = dir_.path() + "/st";
};

/// Where the process works, until the test ends.
class WorkIn {
 public:
  explicit WorkIn(const std::string& path) : before_(fs::current_path()) { fs::current_path(path); }
  ~WorkIn() { fs::current_path(before_); }

 private:
  fs::path before_;
};

TEST_F(StoreDirectory, OneStoreOpensByEverySpellingOfItsPath) {
  make_store();
  const std::string& dir = dir_.path();
  fs::create_directory(dir + "/other");
  fs::create_directory_symlink(store_, dir + "/link");
  fs::create_directory_symlink("st", dir + "/near");
  fs::create_directory_symlink(dir, dir + "/other/up");
  fs::create_directory_symlink(dir + "/link", dir + "/twice");
  struct Spelling {
    std::string works_in;
    std::string path;
  };
  const Spelling spellings[] = {
      {"/", dir + "/st"},
      {"/", dir + "/st/"},
      {"/", dir + "/st//"},
      {"/", dir + "/st/."},
      {"/", dir + "/st/./"},
      {"/", dir + "//st"},
      {"/", dir + "/./st"},
      {"/", dir + "/st/../st"},
      {"/", dir + "/other/../st/"},
      {"/", dir + "/link"},
      {"/", dir + "/link/"},
      {"/", dir + "/near"},
      {"/", dir + "/twice/."},
      {"/", dir + "/other/up/st"},
      {"/", "/" + dir + "/st"},
      {"/", dir.substr(1) + "/st"},
      {dir, "st"},
      {dir, "st/"},
      {dir, "./st"},
      {dir, ".//st/./"},
      {dir, "other/../near"},
      {dir + "/other", "../st"},
      {dir + "/other", "up/st/"},
      {store_, "."},
      {store_, "./"},
      {store_, "../st"},
  };
  for (const auto& [works_in, path] : spellings) {
    SCOPED_TRACE(path + " in " + works_in);
    const WorkIn there(works_in);
    expect_whole(path);
  }
  expect_whole(store_);
}

TEST_F(StoreDirectory, ANewStoreIsMadeByEverySpellingOfItsPath) {
  for (const char* path : {"a/", "b//", "./c", "d/.", "e/f/", "g/../h/", "i//j//k//"}) {
    SCOPED_TRACE(path);
    const WorkIn there(dir_.path());
    for (int start = 0; start < 2; ++start) {
      Opened opened = open(path);
      ASSERT_TRUE(opened) << opened.error().detail;
    }
  }
}

TEST_F(StoreDirectory, APathIsResolvedOnceAndTheProcessMayWorkElsewhereLater) {
  fs::create_directory(dir_.path() + "/other");
  const WorkIn before(dir_.path());
  auto store = open("st").value();
  const WorkIn after(dir_.path() + "/other");
  for (int i = 0; i < 6; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_TRUE(history_.create(*store, sample_saga(gid, i), Durability::durable));
  }
  ASSERT_TRUE(store->maintain());
  store.reset();
  expect_whole(store_);
  EXPECT_TRUE(fs::is_empty(dir_.path() + "/other"));
}

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
  // The next segment, made ready ahead, and marks of an interruption.
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
      // LevelDB makes tables of logs, and another manifest, in the segments that are sound; a log
      // that it is done with replaces the zeros in SPARE.
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
  EXPECT_EQ(opened.error().code, Errc::store_damaged);
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
  EXPECT_EQ(opened.error().code, Errc::store_damaged) << opened.error().detail;
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
  EXPECT_EQ(opened.error().code, Errc::store_unavailable);
  EXPECT_NE(opened.error().detail.find("'letters.txt'"), std::string::npos)
      << opened.error().detail;
  EXPECT_EQ(contents(), before);
}

TEST_F(StoreDirectory, AResetLeavesWhatIsNotTheStoresAndTheNextStartWorks) {
  make_store();
  set_file_content(store_ + "/letters.txt", "mine");
  set_file_content(store_ + "/segment-000001/log/notes", "mine too");
  ASSERT_TRUE(LevelDbStore::remove(store_ + "/"));
  EXPECT_EQ(file_content(store_ + "/letters.txt"), "mine");
  EXPECT_EQ(file_content(store_ + "/segment-000001/log/notes"), "mine too");
  Opened opened = open(store_);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->active_count(), 0U);
  EXPECT_EQ(file_content(store_ + "/segment-000001/log/notes"), "mine too");
}

/// Works as a user to whom modes mean something, until the test ends.
class AsNobody {
 public:
  AsNobody() : before_(::geteuid()) { EXPECT_EQ(::seteuid(before_ == 0 ? 65534 : before_), 0); }
  ~AsNobody() { EXPECT_EQ(::seteuid(before_), 0); }

 private:
  uid_t before_;
};

TEST_F(StoreDirectory, APathThatCannotBeEnteredIsOneClearError) {
  const std::string& dir = dir_.path();
  fs::permissions(dir, fs::perms{0755U});
  const std::string closed = dir + "/closed";
  fs::create_directories(closed + "/st");
  fs::permissions(closed, fs::perms::none);
  set_file_content(dir + "/file", "");
  fs::create_symlink("loop", dir + "/loop");
  fs::create_symlink("nowhere/at/all", dir + "/dangling");
  const std::string long_name = dir + "/" + std::string(300, 'x');
  struct Case {
    std::string path;
    std::string named;
    std::string why;
  };
  const Case cases[] = {
      {closed + "/st", closed + "/st", "Permission denied"},
      {closed + "/new/st", closed + "/new", "Permission denied"},
      {dir + "/new", dir + "/new", "Permission denied"},
      {dir + "/file", dir + "/file", "is not a directory"},
      {dir + "/file/st", dir + "/file", "is not a directory"},
      {dir + "/loop", dir + "/loop", "Too many levels of symbolic links"},
      {dir + "/loop/st", dir + "/loop", "Too many levels of symbolic links"},
      {dir + "/dangling", dir + "/dangling", "No such file or directory"},
      {long_name, long_name, "File name too long"},
      {long_name + "/st", long_name, "File name too long"},
  };
  {
    const AsNobody nobody;
    for (const auto& [path, named, why] : cases) {
      SCOPED_TRACE(path);
      const Opened opened = open(path);
      ASSERT_FALSE(opened);
      EXPECT_NE(opened.error().detail.find("'" + named + "'"), std::string::npos)
          << opened.error().detail;
      // Whoever may not write here hears that first.
      if (path == dir + "/dangling") continue;
      EXPECT_NE(opened.error().detail.find(why), std::string::npos) << opened.error().detail;
    }
  }
  fs::permissions(closed, fs::perms{0755U});
  EXPECT_FALSE(LevelDbStore::remove(dir + "/loop"));
}

class StoreModes : public StoreDirectory {
 protected:
  StoreModes() : before_(::umask(0)) {}
  ~StoreModes() override { ::umask(before_); }

  /// What others than the owner may do with the store's files, by path.
  std::string open_to_others() const {
    std::string found;
    const auto look = [&found](const fs::path& path) {
      const auto of_others = fs::perms::group_all | fs::perms::others_all;
      if ((fs::status(path).permissions() & of_others) != fs::perms::none) {
        found += path.string() + " ";
      }
    };
    look(store_);
    for (const auto& entry : fs::recursive_directory_iterator(store_)) look(entry.path());
    return found;
  }

 private:
  mode_t before_;
};

TEST_F(StoreModes, WhatAStoreMakesIsForItsUserAlone) {
  auto store = open(store_).value();
  for (int i = 0; i < 6; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_TRUE(history_.create(*store, sample_saga(gid, i), Durability::durable));
  }
  ASSERT_TRUE(store->maintain());
  EXPECT_EQ(open_to_others(), "");
  store->close();
  EXPECT_EQ(open_to_others(), "");
}

TEST_F(StoreModes, AStoreThatWasReadableIsTightenedAndOthersFilesAreNot) {
  make_store();
  for (const auto& entry : fs::recursive_directory_iterator(store_)) {
    fs::permissions(entry.path(), fs::perms{entry.is_directory() ? 0755U : 0644U});
  }
  fs::permissions(store_, fs::perms{0755U});
  set_file_content(dir_.path() + "/letters.txt", "mine");
  fs::permissions(dir_.path() + "/letters.txt", fs::perms{0644U});
  fs::create_symlink(dir_.path() + "/letters.txt", store_ + "/letters.txt");
  expect_whole(store_);
  EXPECT_EQ(fs::status(dir_.path() + "/letters.txt").permissions(), fs::perms{0644U});
  fs::remove(store_ + "/letters.txt");
  EXPECT_EQ(open_to_others(), "");
}

}  // namespace
}  // namespace concerto::test
