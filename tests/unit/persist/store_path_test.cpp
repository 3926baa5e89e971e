// Spellings of a store's path, and paths that lead to no store.

#include <unistd.h>

#include <sys/types.h>

#include "store_directory.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

class StorePath : public StoreDirectory {};

/// Changes the working directory of the process, until the test ends.
class WorkIn {
 public:
  explicit WorkIn(const std::string& path) : before_(fs::current_path()) { fs::current_path(path); }
  ~WorkIn() { fs::current_path(before_); }

 private:
  fs::path before_;
};

TEST_F(StorePath, OneStoreOpensByEverySpellingOfItsPath) {
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

TEST_F(StorePath, ANewStoreIsMadeByEverySpellingOfItsPath) {
  for (const char* path : {"a/", "b//", "./c", "d/.", "e/f/", "g/../h/", "i//j//k//"}) {
    SCOPED_TRACE(path);
    const WorkIn there(dir_.path());
    for (int start = 0; start < 2; ++start) {
      Opened opened = open(path);
      ASSERT_TRUE(opened) << opened.error().detail;
    }
  }
}

TEST_F(StorePath, APathIsResolvedOnceAndTheProcessMayWorkElsewhereLater) {
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

/// Runs as a user to whom file modes apply, until the test ends.
class AsNobody {
 public:
  AsNobody() : before_(::geteuid()) { EXPECT_EQ(::seteuid(before_ == 0 ? 65534 : before_), 0); }
  ~AsNobody() { EXPECT_EQ(::seteuid(before_), 0); }

 private:
  uid_t before_;
};

TEST_F(StorePath, APathThatCannotBeEnteredIsOneClearError) {
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
      // A user who may not write here gets that error first.
      if (path == dir + "/dangling") continue;
      EXPECT_NE(opened.error().detail.find(why), std::string::npos) << opened.error().detail;
    }
  }
  fs::permissions(closed, fs::perms{0755U});
  EXPECT_FALSE(LevelDbStore::remove(dir + "/loop"));
}

}  // namespace
}  // namespace concerto::test
