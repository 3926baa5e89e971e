#include "command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct LineCase {
  const char* name;
  std::vector<std::string> arguments;
  CommandLine want;
};

void PrintTo(const LineCase& row, std::ostream* out) {
  *out << row.name;
}

class CommandLineFlags : public testing::TestWithParam<LineCase> {};

TEST_P(CommandLineFlags, AreRead) {
  const CommandLine line = parse_command_line(GetParam().arguments);
  const CommandLine& want = GetParam().want;
  EXPECT_EQ(line.config_file, want.config_file);
  EXPECT_EQ(line.debug, want.debug);
  EXPECT_EQ(line.reset, want.reset);
  EXPECT_EQ(line.yes, want.yes);
  EXPECT_EQ(line.even_in_use, want.even_in_use);
  EXPECT_EQ(line.check_config, want.check_config);
  EXPECT_EQ(line.verify, want.verify);
  EXPECT_EQ(line.print_config, want.print_config);
  EXPECT_EQ(line.print_access, want.print_access);
  EXPECT_EQ(line.print_sample, want.print_sample);
  EXPECT_EQ(line.print_keys, want.print_keys);
  EXPECT_EQ(line.exit_code, std::nullopt) << line.for_stderr;
}

const LineCase line_cases[] = {
    {"None", {}, {}},
    {"ConfigApart", {"-c", "a.yml"}, {.config_file = "a.yml"}},
    {"ConfigJoined", {"-c=/app/configs/config.yaml"}, {.config_file = "/app/configs/config.yaml"}},
    {"ConfigTwoDashes", {"--c", "a.yml"}, {.config_file = "a.yml"}},
    {"ConfigNamedLikeAFlag", {"-c", "-d"}, {.config_file = "-d"}},
    {"ConfigWithEquals", {"-c", "a=b.yml"}, {.config_file = "a=b.yml"}},
    {"All", {"-d", "-r", "-c", "a"}, {.config_file = "a", .debug = true, .reset = true}},
    {"ResetForSure", {"-r", "--yes"}, {.reset = true, .yes = true}},
    {"ResetOfWhatIsInUse", {"-r", "--even-in-use"}, {.reset = true, .even_in_use = true}},
    {"GoBooleans", {"-d=true", "-r=false"}, {.debug = true}},
    {"GoBooleansShort", {"-d=1", "-r=F", "-check-config=T"}, {.debug = true, .check_config = true}},
    {"LastConfigCounts",
     {"-c", "a.yml", "-d", "-c=b.yml"},
     {.config_file = "b.yml", .debug = true}},
    {"LastFlagCounts", {"-r", "-d=false", "-r=false", "-d"}, {.debug = true}},
    {"FlagTwice", {"-d", "-d"}, {.debug = true}},
    {"EndOfFlags", {"-d", "--"}, {.debug = true}},
    {"Check", {"--check-config"}, {.check_config = true}},
    {"Verify", {"--verify"}, {.verify = true}},
    {"PrintOneDash", {"-print-config"}, {.print_config = true}},
    {"PrintAccess", {"--print-access"}, {.print_access = true}},
    {"PrintSample", {"--print-sample"}, {.print_sample = true}},
    {"PrintKeys", {"--print-keys"}, {.print_keys = true}},
};
INSTANTIATE_TEST_SUITE_P(All, CommandLineFlags, testing::ValuesIn(line_cases),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(CommandLine, HelpGoesToStdout) {
  for (const char* flag : {"-h", "--help", "-help"}) {
    const CommandLine line = parse_command_line({flag});
    EXPECT_EQ(line.exit_code, 0);
    EXPECT_THAT(line.for_stdout, AllOf(HasSubstr("-c FILE"), HasSubstr("--check-config")));
    EXPECT_EQ(line.for_stderr, "");
  }
}

TEST(CommandLine, VersionGoesToStdout) {
  const CommandLine line = parse_command_line({"-v"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.for_stdout, testing::MatchesRegex("dtm version: [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(line.for_stderr, "");
}

TEST(CommandLine, OwnVersionHasTheName) {
  const CommandLine line = parse_command_line({"--version"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.for_stdout, testing::MatchesRegex("concertod [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(line.for_stderr, "");
}

TEST(CommandLine, PositionalArgumentsGetTheUsage) {
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments : {Arguments{"-d", "start"}, Arguments{"start", "-x"},
                                     Arguments{"-"}, Arguments{"--", "-d"}}) {
    const CommandLine line = parse_command_line(arguments);
    EXPECT_EQ(line.exit_code, 0);
    EXPECT_THAT(line.for_stderr, HasSubstr("-c FILE"));
  }
}

TEST(CommandLine, AnArgumentBesideAQuestionAboutTheConfigurationIsAMistake) {
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments :
       {Arguments{"--check-config", "my.yml"}, Arguments{"--print-config", "-d", "my.yml"},
        Arguments{"--check-config", "--", "my.yml"}}) {
    const CommandLine line = parse_command_line(arguments);
    EXPECT_EQ(line.exit_code, 2);
    EXPECT_EQ(line.for_stderr, "unexpected argument 'my.yml': did you mean -c my.yml?\n");
  }
}

TEST(CommandLine, FlagsAreOnOrOff) {
  const CommandLine line = parse_command_line({"-d=maybe"});
  EXPECT_EQ(line.exit_code, 2);
  EXPECT_THAT(line.for_stderr, HasSubstr("maybe"));
}

TEST(CommandLine, UnknownFlagGetsMessageAndUsage) {
  const CommandLine line = parse_command_line({"-x"});
  EXPECT_EQ(line.exit_code, 2);
  EXPECT_THAT(line.for_stderr, AllOf(HasSubstr("-x"), HasSubstr("-c FILE")));
}

TEST(CommandLine, ConfigWithoutFileIsAMistake) {
  EXPECT_EQ(parse_command_line({"-c"}).exit_code, 2);
}

}  // namespace
}  // namespace concerto::tools
