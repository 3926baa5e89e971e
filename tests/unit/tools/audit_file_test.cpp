// What happens to the file of an audit log: modes, links, locks, full disks, shares.

#include "audit_file.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "audit_fixture.hpp"
#include "audit_lines.hpp"

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
using Event = net::AuditRecord::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const fs::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

TEST_F(AuditLogs, AreReadableForTheirOwnerOnly) {
  ::umask(0);
  const auto log = open();
  struct stat state {};
  ASSERT_EQ(::stat(file().c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777U, 0600U);
}

TEST_F(AuditLogs, AreClosedToOthersIfSomebodyElseHasMadeThem) {
  std::ofstream{file()};
  for (const auto& [before, after] : {std::pair{0666U, 0640U}, {0640U, 0640U}, {0604U, 0600U}}) {
    ASSERT_EQ(::chmod(file().c_str(), before), 0);
    const auto log = open();
    struct stat state {};
    ASSERT_EQ(::stat(file().c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777U, after);
  }
  const std::string lines = told();
  EXPECT_THAT(lines, HasSubstr("had the mode 0666, so that others could change it"));
  EXPECT_THAT(lines, Not(HasSubstr("had the mode 0640")));
  EXPECT_THAT(lines, HasSubstr("had the mode 0604, so that others could read it"));
}

TEST_F(AuditLogs, NameWhoKeepsThemLocked) {
  const auto opened = AuditFile::open(file(), {}, std::chrono::milliseconds{0});
  ASSERT_TRUE(opened);
  const int other = ::open(file().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  const Result<> refused = (*opened)->append("{}\n", {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("cannot lock " + file() + ": "));
  EXPECT_THAT(refused.error().detail, HasSubstr("process " + std::to_string(::getpid())));
  ::close(other);
  EXPECT_TRUE((*opened)->append("{}\n", {}));
}

TEST_F(AuditLogs, GiveRefusedAttemptsAShareThatRemovesNothing) {
  AuditConfig config;
  config.file_bytes_max = 2'000;
  config.files_max = 1;
  const std::string line = audit_line(record_of("g", Event::refused), {});
  for (const std::size_t run : {1U, 2U}) {
    const auto log = open(config);
    for (int i = 0; i < 20; ++i) {
      clock_.advance(std::chrono::seconds(1));
      EXPECT_TRUE(log->write_now(record_of("g", Event::refused)));
    }
    EXPECT_LE(fs::file_size(file()), 500U) << run;
    EXPECT_GE(fs::file_size(file()), 500U - 2 * line.size()) << run;
  }
  auto log = open(config);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(log->write_now(record_of("kept")));
  EXPECT_EQ(std::distance(fs::directory_iterator{directory_.path()}, {}), 1) << "not put aside";
  log.reset();
  EXPECT_THAT(told(), HasSubstr("have used up their share"));
}

TEST_F(AuditLogs, HaveABudgetOfADayForRefusedAttempts) {
  const auto log = open();
  net::AuditRecord record = record_of("g", Event::refused);
  record.reason = std::string(512, 'r');
  for (int i = 0; i < 1'000; ++i) {
    if (i % 10 == 0) clock_.advance(std::chrono::seconds(1));
    EXPECT_TRUE(log->write_now(record));
  }
  EXPECT_LT(fs::file_size(file()), 260U << 10U);
  clock_.step_wall(std::chrono::hours(24));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(log->write_now(record_of("next day", Event::refused)));
  EXPECT_EQ(gids(read(*log)).front(), "next day");
}

TEST_F(AuditLogs, AreNeverALinkOrAFileWithAnotherName) {
  std::ofstream{directory_.path() + "/other"} << "text";
  AuditConfig config;
  config.file = file();
  fs::create_symlink(directory_.path() + "/other", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, *log_));
  fs::remove(file());
  fs::create_symlink(directory_.path() + "/absent", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, *log_));
  EXPECT_FALSE(fs::exists(directory_.path() + "/absent"));
  fs::remove(file());
  fs::create_hard_link(directory_.path() + "/other", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, *log_));
}

TEST_F(AuditLogs, GoOnAfterSomebodyElseHasMovedAFullFile) {
  AuditConfig config;
  config.file_bytes_max = 100;
  const auto log = open(config);
  ASSERT_TRUE(log->write_now(record_of("a")));
  fs::rename(file(), directory_.path() + "/moved");
  EXPECT_TRUE(log->write_now(record_of("b")));
  EXPECT_THAT(gids(read(*log)), ElementsAre("b"));
}

/// Lets no file of this process grow beyond a size, as a full disk does.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditLogs, RefuseActionsOnAFullDiskAndKeepWholeLines) {
  const auto log = open();
  ASSERT_TRUE(log->write_now(record_of("a")));
  const std::string before = text_of(file());
  {
    const FullDisk disk(before.size() + 10);
    const Result<> refused = log->write_now(record_of("b"));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("nothing was done"));
    EXPECT_THAT(refused.error().detail, Not(HasSubstr(directory_.path())));
    EXPECT_EQ(text_of(file()), before);
    EXPECT_EQ(log->unrecorded(), 1U);
    EXPECT_FALSE(log->write_now(record_of("d", net::AuditRecord::Event::refused)));
    EXPECT_EQ(log->unrecorded(), 2U);
    EXPECT_THAT(log->trouble(), HasSubstr("are refused (Audit.Required)"));
  }
  EXPECT_TRUE(log->write_now(record_of("c")));
  EXPECT_EQ(log->trouble(), "");
  EXPECT_EQ(log->unrecorded(), 2U);
  EXPECT_THAT(gids(read(*log)), ElementsAre("c", "a"));
}

TEST_F(AuditLogs, GoOnWithoutRecordsIfTheyAreNotRequired) {
  AuditConfig config;
  config.required = false;
  const auto log = open(config);
  const FullDisk disk(10);
  EXPECT_TRUE(log->write_now(record_of("b")));
  EXPECT_EQ(text_of(file()), "");
}

}  // namespace
}  // namespace concerto::tools
