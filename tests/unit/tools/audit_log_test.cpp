#include "audit_log.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <unistd.h>

#include <gmock/gmock.h>

#include "audit_fixture.hpp"
#include "audit_lines.hpp"

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
using Event = net::AuditRecord::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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
  // The cut must not separate a password from the @ by which it is known.
  const std::string long_url = std::string(audit_text_bytes_max - 12, 'x') + " http://u:hush@h/";
  net::AuditRecord cut;
  cut.reason = long_url;
  EXPECT_EQ(audit_line(cut, WallTime{}, 0).find("u:hu"), std::string::npos);
  EXPECT_NE(audit_line(cut, WallTime{}, 0).find("http://u:"), std::string::npos);
  EXPECT_THAT(line, Not(HasSubstr("mark")));
}

TEST(AuditLine, ShowsCharactersThatAreObeyedAndNotSeen) {
  net::AuditRecord record = record_of("a\u2028b\u2029\u202Ec\u2066\u061C\u200F\uFEFF\u200Bd");
  const std::string line = audit_line(record, {});
  EXPECT_THAT(line, HasSubstr("a\\u2028b\\u2029\\u202ec\\u2066\\u061c\\u200f\\ufeff\\u200bd"));
  EXPECT_EQ(boost::json::parse(line).at("gid"), record.gid.c_str());
}

TEST_F(AuditLogs, AreReadWithALimitEvenInOneLine) {
  const auto log = open();
  ASSERT_TRUE(log->write_now(record_of("a")));
  // What a disk that lost its data may leave: no line break in more than a page may look at.
  std::ofstream(file(), std::ios::app)
      << R"({"gid":"forged"})" << std::string(audit_scan_bytes_max + (std::size_t{1} << 20), 'x');
  ASSERT_TRUE(log->write_now(record_of("b")));
  net::AuditPage page = read(*log);
  EXPECT_THAT(gids(page), ElementsAre("b"));
  ASSERT_NE(page.next_position, "") << "the limit comes first";
  net::AuditQuery query;
  query.position = page.next_position;
  page = read(*log, query);
  EXPECT_THAT(gids(page), ElementsAre("a"));
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
  EXPECT_EQ(count({.gid = "x",
                   .caller = "",
                   .action = "",
                   .position = "",
                   .limit = 100,
                   .tells_local = true}),
            2U);
  EXPECT_EQ(count({.gid = "",
                   .caller = "ops",
                   .action = "",
                   .position = "",
                   .limit = 100,
                   .tells_local = true}),
            1U);
  EXPECT_EQ(count({.gid = "",
                   .caller = "10.0.0.7",
                   .action = "",
                   .position = "",
                   .limit = 100,
                   .tells_local = true}),
            4U);
  EXPECT_EQ(count({.gid = "",
                   .caller = "10.0.0",
                   .action = "",
                   .position = "",
                   .limit = 100,
                   .tells_local = true}),
            0U);
  EXPECT_EQ(count({.gid = "x",
                   .caller = "",
                   .action = "reset",
                   .position = "",
                   .limit = 100,
                   .tells_local = true}),
            1U);
}

TEST_F(AuditLogs, FindEachOfTheGidsThatAnActionNames) {
  const auto log = open();
  net::AuditRecord record = record_of("");
  record.gids = {"a", R"(b","c)", ",", "\u202Ed\xff", "e", std::string(300, 'f')};
  record.details = R"("gids":["x"],"gid":"x")";
  ASSERT_TRUE(log->write_now(record));
  const auto count = [&](const std::string& gid) {
    net::AuditQuery query;
    query.gid = gid;
    return read(*log, query).records.size();
  };
  for (const std::string& gid : record.gids) EXPECT_EQ(count(gid), 1U) << gid;
  for (const char* other : {"x", "b", "c", "d", "gids", "ts", "aa", "forceStop", "\",\""}) {
    EXPECT_EQ(count(other), 0U) << other;
  }
  // Everybody can make attempts.
  record.event = Event::refused;
  ASSERT_TRUE(log->write_now(record));
  EXPECT_THAT(read(*log).records.front(), Not(HasSubstr("\"gids\"")));
}

TEST_F(AuditLogs, HaveRoomForAllTheGidsThatARequestMayName) {
  const auto log = open();
  net::AuditRecord record = record_of("");
  for (int i = 0; i < 1'000; ++i) {  // of the greatest length
    record.gids.push_back(std::to_string(1'000 + i) + std::string(508, 'g'));
  }
  ASSERT_TRUE(log->write_now(record_of("before")));
  ASSERT_TRUE(log->write_now(record));
  ASSERT_TRUE(log->write_now(record_of("behind")));
  net::AuditQuery query;
  query.gid = record.gids.back();
  const net::AuditPage page = read(*log, query);
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(boost::json::parse(page.records[0]).at("gids").as_array().size(), 1'000U);
  query.gid = "before";
  EXPECT_EQ(read(*log, query).records.size(), 1U);
  // No stored transaction has a gid of such bytes, and yet the line has a limit.
  for (std::string& gid : record.gids) gid = std::string(1'000, '\x01');
  const auto line = boost::json::parse(audit_line(record, {})).as_object();
  const std::size_t told = line.at("gids").as_array().size();
  EXPECT_GT(told, 100U);
  EXPECT_EQ(line.at("gids_left_out").as_int64(), static_cast<std::int64_t>(1'000 - told));
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

TEST_F(AuditLogs, KeepTheAttemptsOfOthersWhenOneCallerFloodsThem) {
  auto log = open();
  net::AuditRecord record = record_of(std::string(128, 'g'), Event::refused);
  record.reason = std::string(600, 'r');
  record.caller = "flood";
  for (int i = 0; i < 310; ++i) {
    if (i % 10 == 0) clock_.advance(std::chrono::seconds(1));
    EXPECT_TRUE(log->write_now(record));
  }
  EXPECT_LT(fs::file_size(file()), 34U << 10U) << "a part of the budget";
  const std::uint64_t unrecorded = log->unrecorded();
  EXPECT_GT(unrecorded, 100U);
  record.caller = "viewer";
  EXPECT_TRUE(log->write_now(record));
  EXPECT_EQ(log->unrecorded(), unrecorded);
  EXPECT_EQ(boost::json::parse(read(*log).records.front()).at("caller"), "viewer");
  log.reset();
  EXPECT_THAT(told(), HasSubstr("refused attempts of caller flood are not recorded"));
}

TEST_F(AuditLogs, HaveShortTextsOfRefusedAttempts) {
  const auto log = open();
  net::AuditRecord record = record_of(std::string(300, 'g'), Event::refused);
  record.caller = std::string(300, 'c');
  EXPECT_TRUE(log->write_now(record));
  net::AuditQuery query;
  query.caller = record.caller;
  const net::AuditPage page = read(*log, query);
  ASSERT_EQ(page.records.size(), 1U) << "the whole name finds the short one";
  EXPECT_EQ(boost::json::parse(page.records[0]).at("gid").as_string().size(),
            refused_text_bytes_max + 7);
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

TEST_F(AuditLogs, TellTheWordsOfLocalActionsOnlyIfTheyAreAskedTo) {
  log_->hide({"pass-word"});
  const auto log = open();
  LocalAction action(log.get(), "migrate", "command", "from db.internal");
  ASSERT_TRUE(action.begin());
  action.end(make_error(Errc::invalid_request, "FATAL: user dba, password pass-word"));
  net::AuditRecord over_http = record_of("g", Event::failed);
  over_http.by = "http";
  over_http.result = "409, it is final";
  ASSERT_TRUE(log->write_now(over_http));
  net::AuditQuery query;
  query.tells_local = true;
  net::AuditPage page = read(*log, query);
  ASSERT_EQ(page.records.size(), 3U);
  EXPECT_THAT(page.records[1], HasSubstr("FATAL: user dba, password ***"));
  EXPECT_THAT(page.records[1], HasSubstr("db.internal"));
  query.tells_local = false;
  page = read(*log, query);
  EXPECT_THAT(page.records[0], HasSubstr("it is final"));
  EXPECT_THAT(page.records[1], Not(HasSubstr("dba")));
  EXPECT_THAT(page.records[1], Not(HasSubstr("db.internal")));
  EXPECT_THAT(page.records[1], HasSubstr(R"("event":"failed","action":"migrate")"));
}

TEST_F(AuditLogs, HaveASecondRecordOfAnActionThatAnExceptionEnds) {
  const auto log = open();
  try {
    LocalAction action(log.get(), "reset", "command", "");
    ASSERT_TRUE(action.begin());
    throw std::runtime_error("no memory");
  } catch (const std::runtime_error&) {
  }
  const net::AuditPage page = read(*log);
  ASSERT_EQ(page.records.size(), 2U);
  EXPECT_THAT(page.records.front(), HasSubstr(R"("event":"failed")"));
  EXPECT_THAT(page.records.front(), HasSubstr("cut off"));
}

}  // namespace
}  // namespace concerto::tools
