#include "leveldb/log_scan.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include "leveldb/log_env.hpp"
#include "leveldb/segment.hpp"
#include "store_files.hpp"

namespace concerto::persist {
namespace {

using test::file_content;
using test::files_below;
using test::set_file_content;

class SilentLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

/// Writes groups with LevelDB itself, so that the scan reads LevelDB's own format.
class LogScanTest : public testing::Test {
 protected:
  static constexpr std::size_t step = 64 << 10;

  LogScanTest() : env_(disk_, LogEnv::Logs::synced, {step, "", 0}) {}

  void SetUp() override { ASSERT_TRUE(env_.start()); }

  leveldb::Status open() {
    leveldb::Options options;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.env = &env_;
    options.info_log = &silence_;
    options.reuse_logs = resumes_;
    leveldb::DB* database = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, path_, &database);
    database_.reset(database);
    return status;
  }

  void put(std::uint64_t group, std::size_t bytes) {
    leveldb::WriteOptions options;
    options.sync = true;
    const std::string value(bytes, static_cast<char>('a' + group % 26));
    ASSERT_TRUE(database_->Put(options, group_key(group), value).ok());
  }

  /// The log's bytes as a crash leaves them, with zeroed space behind.
  std::string crash() {
    const std::string log = file_content(files_below(path_, ".log").back());
    database_.reset();
    return log;
  }

  test::TempDir dir_;
  std::string path_ = dir_.path() + "/log";
  PatientDisk disk_{posix_disk()};
  LogEnv env_;
  SilentLogger silence_;
  std::unique_ptr<leveldb::DB> database_;
  bool resumes_ = false;
};

constexpr std::size_t head_bytes = 7 + 8 + 4 + 1 + 9 + 3;  // of a record and of its batch

TEST_F(LogScanTest, FindsGroupsOfAllSizes) {
  ASSERT_TRUE(open().ok());
  std::uint64_t group = 1;
  for (const std::size_t bytes : {1U, 32'740U, 7U, 32'748U, 100'000U, 0U, 33'000U, 65'536U}) {
    put(group++, bytes);
  }
  const LogContent content = read_log(crash());
  EXPECT_EQ(content.damage, "");
  EXPECT_EQ(content.first_group, 1U);
  EXPECT_EQ(content.last_group, group - 1);
  EXPECT_EQ(content.torn_bytes, 0U);
}

// A record's first fragment may be shorter than the head of a batch, or empty.
TEST_F(LogScanTest, FindsGroupsThatBeginAtTheEndOfABlock) {
  ASSERT_TRUE(open().ok());
  std::uint64_t group = 1;
  std::size_t at = 0;
  for (std::size_t left = 0; left < 50; ++left) {
    const std::size_t block_end = (at / 32768 + 1) * 32768;
    put(group++, block_end - at - head_bytes - left);
    put(group++, 1000);
    at = read_log(file_content(files_below(path_, ".log").back())).good_bytes;
    ASSERT_GT(at, block_end) << left;
  }
  const LogContent content = read_log(crash());
  EXPECT_EQ(content.damage, "");
  EXPECT_EQ(content.last_group, group - 1);
}

// The store relies on this: LevelDB opens a log with zeroed space behind, even with paranoid
// checks.
TEST_F(LogScanTest, LevelDbSkipsZeroedSpace) {
  ASSERT_TRUE(open().ok());
  put(1, 100);
  put(2, 40'000);
  const std::string path = files_below(path_, ".log").back();
  const std::string log = crash();
  EXPECT_EQ(log.size() % step, 0U);
  set_file_content(path, log);
  const leveldb::Status status = open();
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (const std::uint64_t group : {1U, 2U}) {
    std::string value;
    EXPECT_TRUE(database_->Get({}, group_key(group), &value).ok());
  }
}

TEST_F(LogScanTest, ATornLastGroupIsCutOffAtEveryByte) {
  ASSERT_TRUE(open().ok());
  put(1, 100);
  const std::string path = files_below(path_, ".log").back();
  const std::size_t first_end = read_log(file_content(path)).good_bytes;
  put(2, 300);
  const std::string log = crash();
  const std::size_t second_end = read_log(log).good_bytes;
  for (std::size_t end = first_end; end < second_end; ++end) {
    for (const bool zeroed : {false, true}) {
      std::string torn = log.substr(0, end);
      if (zeroed) torn.resize(log.size());
      const LogContent content = read_log(torn);
      EXPECT_EQ(content.damage, "");
      EXPECT_EQ(content.last_group, 1U) << "cut at " << end;
      EXPECT_EQ(content.good_bytes, first_end);
    }
  }
}

// After the last group, up to six bytes of a block may be left, which have no room for a header. A
// torn write may follow them.
TEST_F(LogScanTest, AResumedLogGoesOnBehindItsLastGroup) {
  ASSERT_TRUE(open().ok());
  put(1, 100);
  const std::string path = files_below(path_, ".log").back();
  env_.resume_logs();
  resumes_ = true;
  std::uint64_t group = 2;
  for (std::size_t left = 0; left < 12; ++left) {
    const std::size_t at = read_log(file_content(path)).good_bytes;
    put(group++, (at / 32768 + 1) * 32768 - at - head_bytes - left);
    std::string log = crash();
    if (left % 2 == 1) log[read_log(log).good_bytes] = 't';
    set_file_content(path, log);
    const auto scan = scan_logs(path_, true);
    ASSERT_TRUE(scan) << scan.error().detail;
    EXPECT_EQ(scan->last_group, group - 1);
    ASSERT_TRUE(repair_logs(disk_, path_, *scan, NewestLog::is_resumed));
    EXPECT_EQ(std::filesystem::file_size(path), scan->newest_bytes);
    const leveldb::Status status = open();
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(files_below(path_, ".log").back(), path);
    EXPECT_TRUE(files_below(path_, ".ldb").empty());
    put(group++, 1000);
  }
  for (std::uint64_t known = 1; known < group; ++known) {
    std::string value;
    EXPECT_TRUE(database_->Get({}, group_key(known), &value).ok()) << known;
  }
  const LogContent content = read_log(crash());
  EXPECT_EQ(content.damage, "");
  EXPECT_EQ(content.last_group, group - 1);
}

TEST_F(LogScanTest, EveryFlippedByteBeforeTheLastGroupIsDamage) {
  ASSERT_TRUE(open().ok());
  put(1, 100);
  put(2, 50);
  const std::size_t last_begin = read_log(file_content(files_below(path_, ".log")[0])).good_bytes;
  put(3, 60);
  const std::string log = crash();
  std::string flipped = log;
  for (std::size_t at = 0; at < last_begin; ++at) {
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_NE(read_log(flipped).damage, "") << "byte " << at;
    flipped[at] = log[at];
  }
}

TEST_F(LogScanTest, AMissingLogIsDamage) {
  ASSERT_TRUE(open().ok());
  put(1, 100);
  const std::string path = files_below(path_, ".log").back();
  database_.reset();
  ASSERT_TRUE(scan_logs(path_, true));
  std::filesystem::remove(path);
  const auto scan = scan_logs(path_, true);
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().code, EngineErrc::store_damaged);
  EXPECT_NE(scan.error().detail.find(path), std::string::npos) << scan.error().detail;
}

TEST(ReadLog, GarbageIsATornTailOnly) {
  EXPECT_EQ(read_log("").torn_bytes, 0U);
  EXPECT_EQ(read_log(std::string(100'000, '\0')).torn_bytes, 0U);
  const LogContent garbage = read_log(std::string(100'000, 'x'));
  EXPECT_EQ(garbage.torn_bytes, 100'000U);
  EXPECT_EQ(garbage.damage, "");
}

}  // namespace
}  // namespace concerto::persist
