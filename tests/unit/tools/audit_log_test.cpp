#include "audit_log.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "audit_lines.hpp"
#include "await_result.hpp"
#include "fake_clock.hpp"
#include "temp_dir.hpp"

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
using Event = net::AuditRecord::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

net::AuditRecord record_of(const std::string& gid, Event event = Event::begun) {
  net::AuditRecord record;
  record.event = event;
  record.id = "1";
  record.action = "forceStop";
  record.from = "10.0.0.7:51234";
  record.gid = gid;
  return record;
}

std::string text_of(const fs::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

TEST(AuditLine, IsOneObjectOnOneLineWhateverBytesATextHas) {
  net::AuditRecord record = record_of("g\n{\"event\":\"done\"}\r\x1b[2J\x7f\xC2\x9b\xff\"\\");
  record.reason = std::string(2'000, 'r') + "never shown";
  record.details = "url http://user:mark@b/u?token=mark";
  const std::string line = audit_line(record, WallTime{std::chrono::milliseconds{1'500}});
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_TRUE(std::ranges::none_of(line, [](char c) { return c == '\x1b' || c == '\x7f'; }));
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("ts"), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(object.at("event"), "begun");
  EXPECT_EQ(object.at("gid"), "g\n{\"event\":\"done\"}\r\x1b[2J\x7f\xC2\x9b\xEF\xBF\xBD\"\\");
  EXPECT_EQ(object.at("reason").as_string().size(), audit_text_bytes_max + 7);
  EXPECT_THAT(line, Not(HasSubstr("mark")));
}

class AuditLogs : public testing::Test {
 protected:
  std::unique_ptr<AuditLog> open(AuditConfig config = {}) {
    config.file = file();
    auto opened = AuditLog::open(config, clock_, log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
    return std::move(*opened);
  }
  std::string file() const { return directory_.path() + "/audit.log"; }

  net::AuditPage read(AuditLog& log, net::AuditQuery query = {}) {
    return *test::await_result(io_, log.read(std::move(query)));
  }

  /// The gids of these records.
  static std::vector<std::string> gids(const net::AuditPage& page) {
    std::vector<std::string> found;
    for (const std::string& line : page.records) {
      found.emplace_back(boost::json::parse(line).at("gid").as_string());
    }
    return found;
  }

  asio::io_context io_{1};  ///< outlives the logs, whose threads may still be leaving it
  test::TempDir directory_;
  test::FakeClock clock_;
  std::ostringstream lines_;
  Log log_{{std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_)}, LogLevel::info};
};

TEST_F(AuditLogs, AreReadableForTheirOwnerOnly) {
  ::umask(0);
  const auto log = open();
  struct stat state {};
  ASSERT_EQ(::stat(file().c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777U, 0600U);
}

TEST_F(AuditLogs, AreReadFromTheNewestRecordInPagesOverAllFiles) {
  AuditConfig config;
  config.file_bytes_max = 400;
  const auto log = open(config);
  for (int i = 0; i < 9; ++i) {
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(log->write_now(record_of("g" + std::to_string(i))));
  }
  EXPECT_GE(std::distance(fs::directory_iterator{directory_.path()}, {}), 3);
  net::AuditQuery query;
  query.limit = 4;
  net::AuditPage page = read(*log, query);
  EXPECT_THAT(gids(page), ElementsAre("g8", "g7", "g6", "g5"));
  query.position = page.next_position;
  ASSERT_TRUE(log->write_now(record_of("later")));
  page = read(*log, query);
  EXPECT_THAT(gids(page), ElementsAre("g4", "g3", "g2", "g1"));
  query.position = page.next_position;
  page = read(*log, query);
  EXPECT_THAT(gids(page), ElementsAre("g0"));
  EXPECT_EQ(page.next_position, "");
}

TEST_F(AuditLogs, AreFilteredByGidCallerAndAction) {
  const auto log = open();
  net::AuditRecord named = record_of("x");
  named.caller = "ops";
  named.action = "reset";
  ASSERT_TRUE(log->write_now(record_of("x")));
  ASSERT_TRUE(log->write_now(named));
  ASSERT_TRUE(log->write_now(record_of("xx")));
  ASSERT_TRUE(log->write_now(record_of(R"(,"gid":"x")")));
  const auto count = [&](net::AuditQuery query) { return read(*log, query).records.size(); };
  EXPECT_EQ(count({.gid = "x", .caller = "", .action = "", .position = "", .limit = 100}), 2U);
  EXPECT_EQ(count({.gid = "", .caller = "ops", .action = "", .position = "", .limit = 100}), 1U);
  EXPECT_EQ(count({.gid = "", .caller = "10.0.0.7", .action = "", .position = "", .limit = 100}),
            4U);
  EXPECT_EQ(count({.gid = "", .caller = "10.0.0", .action = "", .position = "", .limit = 100}), 0U);
  EXPECT_EQ(count({.gid = "x", .caller = "", .action = "reset", .position = "", .limit = 100}), 1U);
}

TEST_F(AuditLogs, RefusePositionsThatTheyHaveNotGiven) {
  const auto log = open();
  for (const char* position : {"x", "1", "1-", "1-2-3", "0-0"}) {
    net::AuditQuery query;
    query.position = position;
    EXPECT_EQ(test::await_result(io_, log->read(query)).error().code, Errc::invalid_request)
        << position;
  }
}

TEST_F(AuditLogs, SurviveALineThatWasCutShort) {
  ASSERT_TRUE(open()->write_now(record_of("a")));
  std::ofstream(file(), std::ios::app) << R"({"ts":"1970)";
  const auto log = open();
  ASSERT_TRUE(log->write_now(record_of("b")));
  EXPECT_THAT(gids(read(*log)), ElementsAre("b", "a"));
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
  }
  EXPECT_TRUE(log->write_now(record_of("c")));
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

TEST_F(AuditLogs, KeepTheEndOfAnActionHoweverManyWait) {
  const auto log = open();
  const auto work = asio::make_work_guard(io_);
  std::vector<std::optional<bool>> begun(1'100);
  const auto write = [&](Event event, std::optional<bool>& written) {
    asio::co_spawn(io_, log->write(record_of("g", event)),
                   [&written](auto, const Result<>& done) { written = done.has_value(); });
  };
  std::optional<bool> ended;
  for (auto& one : begun) write(Event::begun, one);
  write(Event::done, ended);
  while (!ended || std::ranges::any_of(begun, [](const auto& one) { return !one; })) io_.run_one();
  EXPECT_TRUE(*ended);
}

TEST_F(AuditLogs, AreNeverALinkOrAFileWithAnotherName) {
  std::ofstream{directory_.path() + "/other"} << "text";
  AuditConfig config;
  config.file = file();
  fs::create_symlink(directory_.path() + "/other", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, log_));
  fs::remove(file());
  fs::create_symlink(directory_.path() + "/absent", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, log_));
  EXPECT_FALSE(fs::exists(directory_.path() + "/absent"));
  fs::remove(file());
  fs::create_hard_link(directory_.path() + "/other", file());
  EXPECT_FALSE(AuditLog::open(config, clock_, log_));
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

TEST_F(AuditLogs, AreNotFilledByRefusedAttempts) {
  const auto log = open();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(log->write_now(record_of("g", Event::refused)));
  EXPECT_TRUE(log->write_now(record_of("h")));
  EXPECT_EQ(read(*log).records.size(), 11U);
  net::AuditRecord of_caller = record_of("i", Event::refused);
  of_caller.caller = "otto";
  EXPECT_TRUE(log->write_now(of_caller));
  EXPECT_EQ(gids(read(*log)).front(), "i");
  EXPECT_EQ(boost::json::parse(read(*log).records.front()).at("left_out").as_int64(), 90);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(log->write_now(record_of("j", Event::refused)));
  EXPECT_EQ(gids(read(*log)).front(), "j");
}

TEST_F(AuditLogs, ActionsOnTheMachineNameTheirUser) {
  const auto log = open();
  LocalAction action(log.get(), "reset", "command", "'/data'");
  ASSERT_TRUE(action.begin());
  action.end(make_error(Errc::invalid_request, "others work there"));
  const net::AuditPage page = read(*log);
  ASSERT_EQ(page.records.size(), 2U);
  const auto last = boost::json::parse(page.records.front()).as_object();
  EXPECT_EQ(last.at("event"), "failed");
  EXPECT_EQ(last.at("result"), "others work there");
  EXPECT_EQ(std::string(last.at("caller").as_string()), "uid " + std::to_string(::getuid()));
  LocalAction nowhere(nullptr, "reset", "command", "");
  EXPECT_TRUE(nowhere.begin());
}

}  // namespace
}  // namespace concerto::tools
