#include "config_print.hpp"

#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_keys.hpp"

namespace concerto::tools {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Loads a text that must have no mistakes.
Config load(const std::string& yaml) {
  const LoadedConfig loaded = load_config(yaml, [](const std::string&) { return std::nullopt; });
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
  EXPECT_THAT(loaded.findings.warnings, IsEmpty());
  return loaded.config;
}

/// The sample without the # before each key.
std::string sample_with_keys() {
  return std::regex_replace(print_sample(), std::regex("(^|\n)( *)#(?=\\w)"), "$1$2");
}

bool is_unused(const KeyRow& row) {
  return row.help.starts_with(unused_mark);
}

TEST(ConfigPrint, SampleAsItIsChangesNothing) {
  EXPECT_EQ(summarize(load(print_sample())), summarize(Config{}));
}

TEST(ConfigPrint, SampleHasTheDefaultOfEachKey) {
  // An empty key may be a mistake, so those that are empty by default stay comments.
  const std::regex empty_key{"\n *\\w+: ''(?=\n)"};
  EXPECT_EQ(summarize(load(std::regex_replace(sample_with_keys(), empty_key, ""))),
            summarize(Config{}));
}

TEST(ConfigPrint, SampleHasEachKeyInUseAtItsPlace) {
  std::set<std::string> found;
  std::string section;
  const std::string sample = sample_with_keys();
  const std::regex key{"(^|\n)( *)(\\w+):"};
  for (std::sregex_iterator at{sample.begin(), sample.end(), key}, end; at != end; ++at) {
    const std::string name = (*at)[3];
    const bool is_top_level = (*at)[2].length() == 0;
    if (is_top_level) section = name;
    found.insert(is_top_level ? name : section + "." + name);
  }
  for (const KeyRow& row : KeyTable::standard().rows()) {
    EXPECT_EQ(found.contains(std::string{row.path}), !is_unused(row)) << row.path;
  }
}

TEST(ConfigPrint, SampleFitsAScreen) {
  constexpr std::size_t line_chars_max = 100;
  std::istringstream lines{print_sample()};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), line_chars_max) << line;
}

TEST(ConfigPrint, KeyPageHasOneLineForEachKey) {
  const std::string page = print_key_page();
  for (const KeyRow& row : KeyTable::standard().rows()) {
    const std::string begin =
        "\n| `" + std::string{row.path} + "` | `" + env_name(row.path) + "` |";
    EXPECT_THAT(page, HasSubstr(begin));
    EXPECT_EQ(page.find(begin), page.rfind(begin)) << row.path;
  }
}

TEST(ConfigPrint, KeyPageSaysDefaultMeaningAndValues) {
  const std::string page = print_key_page();
  EXPECT_THAT(
      page,
      HasSubstr("| `36789` | port for HTTP and JSON-RPC; 0: any free port | 0 to 65,535 |\n"));
  EXPECT_THAT(page, HasSubstr("| `4 MiB` | largest request | 1 or more, reload |\n"));
  EXPECT_THAT(page, HasSubstr("| `0` | 1: files are rotated | 0 or 1 |\n"));
}

}  // namespace
}  // namespace concerto::tools
