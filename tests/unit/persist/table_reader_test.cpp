#include "leveldb/table_reader.hpp"

#include <gtest/gtest.h>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

void* no_memory(int, std::size_t) {
  return nullptr;
}

class TableReader : public testing::TestWithParam<MapFile> {
 protected:
  /// The result of a read, or the reason why it fails.
  std::string read(std::uint64_t offset, std::size_t count) {
    const auto table = open_table(path_, GetParam());
    if (!table) return table.error().detail;
    std::string scratch(count, '\0');
    leveldb::Slice result;
    const leveldb::Status done = (*table)->Read(offset, count, &result, scratch.data());
    return done.ok() ? result.ToString() : done.IsCorruption() ? "behind" : "not read";
  }

  test::TempDir dir_;
  const std::string path_ = dir_.path() + "/000001.ldb";
};

TEST_P(TableReader, ReadsWhatIsAskedForAndNothingBehindTheEnd) {
  test::set_file_content(path_, "0123456789");
  EXPECT_EQ(read(3, 4), "3456");
  EXPECT_EQ(read(0, 10), "0123456789");
  EXPECT_EQ(read(8, 3), "behind");
  EXPECT_EQ(read(11, 1), "behind");
}

TEST_P(TableReader, AnEmptyTableHasNothing) {
  test::set_file_content(path_, "");
  EXPECT_EQ(read(0, 1), "behind");
}

TEST_P(TableReader, AnAbsentOneIsNamed) {
  EXPECT_NE(read(0, 1).find("cannot open '" + path_ + "'"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Tables, TableReader, testing::Values(map_file, no_memory),
                         [](const auto& tested) {
                           return tested.param == no_memory ? "WithoutMemory" : "Mapped";
                         });

}  // namespace
}  // namespace concerto::persist
