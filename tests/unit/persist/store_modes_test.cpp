// Who may read a store's files.

#include <unistd.h>

#include <sys/stat.h>

#include "leveldb/file_modes.hpp"
#include "store_directory.hpp"

namespace concerto::test {

namespace fs = std::filesystem;

namespace {

class StoreModes : public StoreDirectory {
 protected:
  StoreModes() : before_(::umask(0)) {}
  ~StoreModes() override { ::umask(before_); }

  /// What users other than the owner may do with the store's files, by path.
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

// Root could open it, and its user could not open it afterwards.
TEST_F(StoreModes, RootLeavesTheStoreOfAnotherUserAlone) {
  make_store();
  EXPECT_TRUE(persist::check_owner(store_, 4242));
  if (::geteuid() == 0) {
    EXPECT_TRUE(persist::check_owner(store_, 0));
    ASSERT_EQ(::chown((store_ + "/IDENTITY").c_str(), 4242, 4242), 0);
    const Files before = contents();
    const auto opened = open(store_);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().detail.find("belongs to the user '#4242'"), std::string::npos);
    EXPECT_FALSE(persist::LevelDbStore::remove(store_));
    EXPECT_EQ(contents(), before);
  }
  EXPECT_FALSE(persist::check_owner(store_, 0));
}

}  // namespace
}  // namespace concerto::test
