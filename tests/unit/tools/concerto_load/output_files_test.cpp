#include "output_files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_info.hpp"
#include "temp_dir.hpp"

namespace concerto::load {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class OutputFiles : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  test::TempDir directory_;
  LoadOptions options_;
};

TEST_F(OutputFiles, ThatCanBeWrittenAreLeftAsTheyAre) {
  std::ofstream(path("old.json")) << "old";
  options_.json_file = path("old.json");
  options_.html_file = path("new.html");
  EXPECT_EQ(try_output_files(options_), "");
  std::ifstream file(path("old.json"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "old");
  EXPECT_FALSE(std::filesystem::exists(path("new.html")));
}

TEST_F(OutputFiles, InADirectoryThatIsNotThereAreRefused) {
  options_.html_file = path("nowhere/l.html");
  EXPECT_EQ(try_output_files(options_), "--html: '" + path("nowhere/l.html") +
                                            "' cannot be written: No such file or directory");
}

TEST_F(OutputFiles, ThatAreDirectoriesAreRefused) {
  options_.hgrm_file = directory_.path();
  EXPECT_THAT(try_output_files(options_), StartsWith("--hgrm: "));
  EXPECT_THAT(try_output_files(options_), HasSubstr("Is a directory"));
}

TEST_F(OutputFiles, ThatAreTheSameAreRefused) {
  options_.json_file = path("l");
  options_.html_file = path("l");
  EXPECT_EQ(try_output_files(options_), "--html: '" + path("l") + "' is the file of --json, too");
}

TEST_F(OutputFiles, MayBeDevicesAndStdout) {
  options_.json_file = "-";
  options_.html_file = "/dev/null";
  EXPECT_EQ(try_output_files(options_), "");
}

TEST_F(OutputFiles, AreWrittenAnew) {
  std::ofstream(path("l")) << "something longer";
  EXPECT_TRUE(write_output_file(path("l"), "new"));
  EXPECT_EQ(std::filesystem::file_size(path("l")), 3U);
  EXPECT_TRUE(write_output_file("", "nothing"));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(write_output_file(path("nowhere/l"), "x"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("No such file or directory"));
}

TEST_F(OutputFiles, OnAFullDiskAreNotWritten) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(write_output_file("/dev/full", "x"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("No space left on device"));
}

TEST(RunInfo, QuotesTheCommandForAShell) {
  EXPECT_EQ(shell_text({"concerto-load", "--rate", "2.5", "--html", "a b's", ""}),
            R"(concerto-load --rate 2.5 --html 'a b'\''s' '')");
}

TEST(RunInfo, HidesSecretsInUrls) {
  const std::string text =
      shell_text({"concerto-load", "--action", "http://u:geheim@h/a?token=geheim",
                  "--compensate=http://u:geheim@h/b", "--action", "u:geheim@h:1/s/M"});
  EXPECT_THAT(text, testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(text, HasSubstr("'--compensate=http://u:***@h/b'"));
}

TEST(RunInfo, NamesMachineAndDate) {
  const RunInfo info = run_info({"concerto-load"});
  EXPECT_THAT(info.machine, MatchesRegex(".+: [0-9]+ .*, [0-9.]+ GiB, Linux .+"));
  EXPECT_THAT(info.date, MatchesRegex("20[0-9-]+ [0-9:]+ UTC"));
  EXPECT_EQ(info.command, "concerto-load");
}

}  // namespace
}  // namespace concerto::load
