#include "logging.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "rotating_file.hpp"

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;

/// A directory of this test's own, removed at its end.
class LogFiles : public testing::Test {
 protected:
  LogFiles() {
    std::string name = (fs::temp_directory_path() / "concerto-log-XXXXXX").string();
    directory = ::mkdtemp(name.data());
  }
  ~LogFiles() override { fs::remove_all(directory); }

  std::multiset<std::string> names() const {
    std::multiset<std::string> found;
    for (const auto& entry : fs::directory_iterator{directory}) {
      found.insert(entry.path().filename().string());
    }
    return found;
  }

  std::string file(const std::string& name) const { return (directory / name).string(); }

  static std::string content(const std::string& path) {
    std::ifstream input{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{input}, {}};
  }

  fs::path directory;
};

std::string written_by(LogLevel level, const std::function<void(Log&)>& use) {
  std::ostringstream out;
  {
    Log log{{std::make_shared<spdlog::sinks::ostream_sink_mt>(out)}, level};
    use(log);
  }
  return out.str();
}

TEST(Log, WritesOneJsonObjectPerLine) {
  const std::string text = written_by(LogLevel::info, [](Log& log) {
    LogObserver{log}.log(LogLevel::warn, "gid-1", "quote \" newline \n end");
  });
  const auto line = boost::json::parse(text).as_object();
  EXPECT_EQ(line.at("level"), "warn");
  EXPECT_EQ(line.at("gid"), "gid-1");
  EXPECT_EQ(line.at("msg"), "quote \" newline \n end");
  EXPECT_THAT(std::string(line.at("ts").as_string()),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST(Log, IsJsonWhateverBytesATextHas) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& bytes : {all, std::string{"no\xff\x9b"}, std::string{"cut \xC2"}}) {
    const std::string text =
        written_by(LogLevel::info, [&](Log& log) { log.write(LogLevel::error, bytes, bytes); });
    boost::system::error_code broken;
    const auto line = boost::json::parse(text, broken);
    ASSERT_FALSE(broken) << text;
    EXPECT_THAT(std::string(line.at("msg").as_string()), HasSubstr("\xEF\xBF\xBD"));
    EXPECT_THAT(std::string(line.at("gid").as_string()), HasSubstr("\xEF\xBF\xBD"));
  }
}

TEST(Log, GivesATerminalNoControlCharacter) {
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls += c;
  controls += '\x7F';
  for (int c = 0x80; c < 0xA0; ++c) controls += {'\xC2', static_cast<char>(c)};
  const std::string kept =
      "\xC2\xA0 \xC3\x9B \xE2\x82\xAC";  // Bytes like those of C1 within others.
  const std::string text = written_by(
      LogLevel::info, [&](Log& log) { log.write(LogLevel::error, controls, controls + kept); });
  const auto line = boost::json::parse(text);
  EXPECT_EQ(std::string(line.at("msg").as_string()), controls + kept) << "escaped, not lost";
  EXPECT_EQ(std::string(line.at("gid").as_string()), controls);
  EXPECT_THAT(text, HasSubstr("\\u007f\\u0080\\u0081"));
  EXPECT_THAT(text, HasSubstr("\\u009e\\u009f" + kept));
  for (const char c : text.substr(0, text.size() - 1)) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != '\x7F') << int{c};
  }
  for (int c = 0x80; c < 0xA0; ++c) {
    EXPECT_EQ(text.find(std::string{'\xC2', static_cast<char>(c)}), std::string::npos) << c;
  }
}

TEST(Log, LeavesOutAnEmptyGid) {
  const std::string text = written_by(LogLevel::info, [](Log& log) { log.error("x"); });
  EXPECT_THAT(text, HasSubstr("\"level\":\"error\""));
  EXPECT_FALSE(boost::json::parse(text).as_object().contains("gid"));
}

TEST(Log, DropsLinesBelowItsLevel) {
  const std::string text = written_by(LogLevel::warn, [](Log& log) {
    log.debug("a"), log.info("b"), log.warn("c"), log.error("d");
    EXPECT_FALSE(log.writes(LogLevel::info));
    EXPECT_TRUE(LogObserver{log}.logs(LogLevel::warn));
  });
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST_F(LogFiles, AreWrittenBesideEachOther) {
  {
    auto log = Log::open({.outputs = file("a.log") + " , " + file("sub/b.log")});
    ASSERT_TRUE(log) << log.error().detail;
    (*log)->info("hello");
  }
  EXPECT_THAT(content(file("a.log")), HasSubstr("hello"));
  EXPECT_EQ(content(file("a.log")), content(file("sub/b.log")));
}

TEST_F(LogFiles, RenamedByLogrotateAreOpenedAnew) {
  for (const bool rotation : {false, true}) {
    const std::string name = file(rotation ? "r.log" : "p.log");
    {
      auto log = Log::open({.outputs = name, .rotation_enabled = rotation});
      ASSERT_TRUE(log) << log.error().detail;
      (*log)->info("before");
      while (content(name).empty()) std::this_thread::yield();
      fs::rename(name, name + ".1");
      (*log)->reopen();
      (*log)->info("after");
    }
    EXPECT_THAT(content(name + ".1"), HasSubstr("before"));
    EXPECT_THAT(content(name),
                testing::AllOf(HasSubstr("after"), testing::Not(HasSubstr("before"))));
  }
}

TEST_F(LogFiles, ThatCannotBeOpenedAnewAreWrittenOn) {
  const std::string name = file("sub/x.log");
  {
    auto log = Log::open({.outputs = name + "," + file("y.log")});
    ASSERT_TRUE(log) << log.error().detail;
    (*log)->info("before");
    fs::rename(directory / "sub", directory / "gone");
    std::ofstream{file("sub")} << "in the way";
    (*log)->reopen();
    (*log)->info("after");
  }
  EXPECT_THAT(content(file("gone/x.log")), testing::AllOf(HasSubstr("before"), HasSubstr("after")));
  EXPECT_THAT(content(file("y.log")), HasSubstr("Log.Outputs: cannot open " + name));
}

TEST_F(LogFiles, ThatCannotBeOpenedAreNamed) {
  for (const bool rotation : {false, true}) {
    const auto log = Log::open({.outputs = directory.string(), .rotation_enabled = rotation});
    ASSERT_FALSE(log);
    EXPECT_THAT(log.error().detail, HasSubstr(directory.string()));
  }
}

spdlog::logger logger_of(const std::string& path, const Rotation& rotation) {
  spdlog::logger logger{"test", std::make_shared<RotatingFile>(path, rotation)};
  logger.set_pattern("%v");
  return logger;
}

TEST_F(LogFiles, ArePutAsideBeforeTheyOutgrowTheirLimit) {
  auto logger = logger_of(file("c.log"), {.bytes_max = 10});
  logger.info("1234567");
  logger.info("abcdefg");
  logger.flush();
  EXPECT_EQ(content(file("c.log")), "abcdefg\n");
  const auto found = names();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(*found.begin(), MatchesRegex("c-[0-9-]{10}T[0-9-]{8}\\.[0-9]{3}\\.log"));
  EXPECT_EQ(content(file(*found.begin())), "1234567\n");
}

TEST_F(LogFiles, PutAsideAreKeptUpToTheirNumberAndNothingElseGoes) {
  const char* old = "c-2001-01-01T00-00-00.000.log";
  for (const char* name : {old, "c-2001-01-01T00-00-00.000.log.gz", "c-2002-errors.log", "c.txt"}) {
    std::ofstream{file(name)} << "x";
  }
  auto logger = logger_of(file("c.log"), {.bytes_max = 10, .files_max = 1});
  logger.info("1234567");
  logger.info("abcdefg");
  const auto found = names();
  EXPECT_EQ(found.size(), 4U);
  EXPECT_EQ(found.count(old), 0U);
  EXPECT_EQ(found.count("c-2002-errors.log"), 1U);
  EXPECT_EQ(found.count("c.txt"), 1U);
}

TEST_F(LogFiles, PutAsideGoByAge) {
  const std::string old = file("c-2001-01-01T00-00-00.000.log");
  std::ofstream{old} << "x";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours{49});
  auto logger = logger_of(file("c.log"), {.bytes_max = 10, .age_max = std::chrono::days{2}});
  logger.info("1234567");
  logger.info("abcdefg");
  EXPECT_FALSE(fs::exists(old));
  EXPECT_EQ(names().size(), 2U);
}

TEST_F(LogFiles, PutAsideAreCompressed) {
  auto logger = logger_of(file("c.log"), {.bytes_max = 10, .compress = true});
  logger.info("1234567");
  logger.info("abcdefg");
  const auto found = names();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(*found.begin(), testing::EndsWith(".log.gz"));
  EXPECT_THAT(content(file(*found.begin())), testing::StartsWith("\x1f\x8b"));
}

TEST_F(LogFiles, MayBeNamedByUrlAsInTheReference) {
  {
    auto log =
        Log::open({.outputs = "file://" + file("a.log") + ",file://localhost" + file("b.log")});
    ASSERT_TRUE(log) << log.error().detail;
    (*log)->info("hello");
  }
  EXPECT_THAT(content(file("a.log")), HasSubstr("hello"));
  EXPECT_THAT(content(file("b.log")), HasSubstr("hello"));
}

TEST(Rotation, ReadsTheReferencesMembersInAnyCase) {
  std::vector<std::string> unknown;
  const auto rotation = rotation_from_json(
      R"({"maxsize": 5, "maxAge": 3, "MAXBACKUPS": 2, "LocalTime": true, "compress": true,
          "filename": "unused.log"})",
      unknown);
  ASSERT_TRUE(rotation) << rotation.error().detail;
  EXPECT_EQ(rotation->bytes_max, std::uintmax_t{5} << 20);
  EXPECT_EQ(rotation->age_max, std::chrono::days{3});
  EXPECT_EQ(rotation->files_max, 2U);
  EXPECT_TRUE(rotation->local_time && rotation->compress);
  EXPECT_THAT(unknown, testing::IsEmpty());
}

TEST(Rotation, NamesMembersWithoutEffect) {
  std::vector<std::string> unknown;
  const auto rotation = rotation_from_json(R"({"max_size": 1, "maxage": null})", unknown);
  ASSERT_TRUE(rotation) << rotation.error().detail;
  EXPECT_THAT(unknown, testing::ElementsAre("max_size"));
  EXPECT_EQ(rotation->bytes_max, Rotation{}.bytes_max);
}

TEST(Rotation, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"[]", "{", "{\"maxsize\": \"big\"}", "{\"maxage\": -1}",
                           "{\"compress\": 1}", "{\"maxsize\": 1.5}"}) {
    std::vector<std::string> unknown;
    const auto rotation = rotation_from_json(text, unknown);
    ASSERT_FALSE(rotation) << text;
    EXPECT_THAT(rotation.error().detail, testing::StartsWith("Log.RotationConfigJSON: "));
  }
}

}  // namespace
}  // namespace concerto::tools
