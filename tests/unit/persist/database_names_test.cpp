// Names in a segment: which of them are the store's, and what happens to files with similar names.

#include "leveldb/database_names.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::is_database_file;
using persist::is_log_file;
using persist::LevelDbStore;

namespace fs = std::filesystem;

TEST(DatabaseNames, AreThoseThatLevelDbWrites) {
  for (const char* name :
       {"CURRENT", "LOCK", "LOG", "LOG.old", "LOGS", "LOGS.new", "MANIFEST-000001",
        "MANIFEST-1234567", "000003.log", "000004.ldb", "000005.sst", "000006.dbtmp", "999999.log",
        "1000000.log", "18446744073709551615.ldb"}) {
    EXPECT_TRUE(is_database_file(name)) << name;
  }
  EXPECT_TRUE(is_log_file("000003.log"));
  EXPECT_FALSE(is_log_file("000003.ldb"));
}

TEST(DatabaseNames, AreComparedWhole) {
  for (const char* name : {"",
                           ".log",
                           "7.log",
                           "99.log",
                           "00099.log",
                           "0000099.log",
                           "1.ldb",
                           "12.sst",
                           "5.dbtmp",
                           "MANIFEST-9",
                           "MANIFEST-",
                           "MANIFEST-x",
                           "MANIFEST-0000001",
                           "000099.log.gz",
                           "000099.txt",
                           "000099",
                           "000099.LOG",
                           "+00099.log",
                           "-00099.log",
                           " 000099.log",
                           "000099 .log",
                           "0x0099.log",
                           "current",
                           "LOG.older",
                           "LOGS.tmp",
                           "CURRENT.bak",
                           "18446744073709551616.log"}) {
    EXPECT_FALSE(is_database_file(name)) << name;
    EXPECT_FALSE(is_log_file(name)) << name;
  }
}

TEST(DatabaseNames, AStrangerInASegmentNeitherStopsAStartNorIsRemoved) {
  const TempDir dir;
  StoreClock clock;
  LogLines log;
  StoreHistory history;
  const std::string path = dir.path() + "/st";
  const auto open = [&] { return LevelDbStore::open(small_options(path), clock, log); };
  {
    auto store = open().value();
    ASSERT_TRUE(history.create(*store, sample_saga("g"), Durability::durable));
  }
  for (const std::string database : {"log", "directory"}) {
    for (const std::string name : {"99.log", "7.log", "0000099.log", "1.ldb", "0000012.ldb",
                                   "12.sst", "5.dbtmp", "MANIFEST-9"}) {
      SCOPED_TRACE(database + "/" + name);
      const std::string stranger = persist::segment_path("", 1) + "/" + database + "/" + name;
      set_file_content(path + stranger, "mine");
      log.take();
      auto opened = open();
      ASSERT_TRUE(opened) << opened.error().detail;
      EXPECT_NE(log.take().find("'" + stranger.substr(1) + "'"), std::string::npos);
      history.check(**opened);
      ASSERT_TRUE((*opened)->maintain());
      opened->reset();
      EXPECT_EQ(file_content(path + stranger), "mine");
      fs::remove(path + stranger);
    }
  }
}

TEST(DatabaseNames, AResetLeavesAStrangerInASegment) {
  const TempDir dir;
  StoreClock clock;
  LogLines log;
  const std::string path = dir.path() + "/st";
  LevelDbStore::open(small_options(path), clock, log).value()->close();
  const std::string stranger = persist::segment_path(path, 1) + "/log/99.log";
  set_file_content(stranger, "mine");
  ASSERT_TRUE(LevelDbStore::remove(path));
  EXPECT_EQ(file_content(stranger), "mine");
  auto opened = LevelDbStore::open(small_options(path), clock, log);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(file_content(stranger), "mine");
}

}  // namespace concerto::test
