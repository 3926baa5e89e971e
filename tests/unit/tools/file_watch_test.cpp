#include "file_watch.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "temp_dir.hpp"

namespace concerto::tools {
namespace {

FileStamps state(std::uint64_t inode) {
  FileStamp stamp;
  stamp.inode = inode;
  return {stamp, FileStamp{}};
}

TEST(FileWatch, ReadsNothingThatStaysAsItIs) {
  FileWatch watch(state(1));
  EXPECT_FALSE(watch.look(state(1)));
  EXPECT_FALSE(watch.look(state(1)));
}

TEST(FileWatch, ReadsAChangeThatHasComeToRestAndOnlyOnce) {
  FileWatch watch(state(1));
  EXPECT_FALSE(watch.look(state(2)));
  EXPECT_FALSE(watch.look(state(3))) << "the files are still being replaced";
  EXPECT_TRUE(watch.look(state(3)));
  EXPECT_FALSE(watch.look(state(3)));
}

TEST(FileWatch, ReadsAReturnToTheFormerState) {
  FileWatch watch(state(1));
  EXPECT_FALSE(watch.look(state(2)));
  EXPECT_TRUE(watch.look(state(2)));
  EXPECT_FALSE(watch.look(state(1)));
  EXPECT_TRUE(watch.look(state(1)));
}

TEST(FileWatch, ForgetsAChangeThatIsTakenBackBeforeItRests) {
  FileWatch watch(state(1));
  EXPECT_FALSE(watch.look(state(2)));
  EXPECT_FALSE(watch.look(state(1)));
  EXPECT_FALSE(watch.look(state(1)));
}

TEST(FileWatch, AsksAgainAfterAFailure) {
  FileWatch watch(state(1));
  watch.failed();
  int looks = 1;
  while (!watch.look(state(1))) ++looks;
  EXPECT_EQ(looks, 10);
  EXPECT_FALSE(watch.look(state(1)));
}

TEST(FileStamps, TellsContentsAndLinksApart) {
  const concerto::test::TempDir directory;
  const std::filesystem::path base = directory.path();
  std::ofstream{base / "one"} << "text";
  std::ofstream{base / "two"} << "text";
  std::filesystem::create_symlink(base / "one", base / "link");
  const std::vector<std::string> files{(base / "link").string(), (base / "none").string()};
  const FileStamps before = stamps_of(files);
  EXPECT_EQ(before, stamps_of(files));
  EXPECT_EQ(before[1], FileStamp{}) << "there is no such file";
  std::filesystem::remove(base / "link");
  std::filesystem::create_symlink(base / "two", base / "link");
  const FileStamps other_link = stamps_of(files);
  EXPECT_NE(before, other_link);
  std::ofstream{base / "two"} << "other text";
  EXPECT_NE(other_link, stamps_of(files));
}

}  // namespace
}  // namespace concerto::tools
