#include "verb_page.hpp"

#include <algorithm>
#include <set>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "command_line.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

/// The program with all its verbs.
class VerbPageTest : public testing::Test {
 protected:
  CLI::App app_{"The command line", "concerto"};
  const KnownVerbs known_ = add_verbs(app_);
};

void check_options(const VerbPage& page) {
  std::set<std::string> names;
  for (const OptionPage& option : page.options) {
    EXPECT_FALSE(option.names.empty()) << page.path;
    EXPECT_FALSE(option.help.empty()) << page.path << " " << option.names.front();
    for (const std::string& name : option.names) {
      EXPECT_TRUE(names.insert(name).second) << page.path << " has two " << name;
    }
    EXPECT_EQ(value_of(option).empty(), !option.has_value) << page.path << option.names.front();
  }
  for (const VerbPage& part : page.parts) check_options(part);
}

TEST_F(VerbPageTest, EverythingHasANameAndHelp) {
  const VerbPage program = describe(app_);
  EXPECT_EQ(program.parts.size(), verbs().size());
  check_options(program);
}

TEST_F(VerbPageTest, SaysWhatAnOptionMayBe) {
  const VerbPage program = describe(app_);
  const VerbPage& list = program.parts.front();
  ASSERT_EQ(list.path, "list");
  const auto output = std::find_if(list.options.begin(), list.options.end(),
                                   [](const auto& one) { return one.names.front() == "-o"; });
  ASSERT_NE(output, list.options.end());
  EXPECT_EQ(output->choices, (std::vector<std::string>{"table", "json", "yaml"}));
  EXPECT_EQ(output->normal, "table");
}

TEST_F(VerbPageTest, SaysWhatAnOptionNeeds) {
  const VerbPage program = describe(app_);
  const auto jobs = std::ranges::find(program.parts, "jobs", &VerbPage::path);
  ASSERT_NE(jobs, program.parts.end());
  const auto cancel =
      std::ranges::find(jobs->options, std::vector<std::string>{"--cancel"}, &OptionPage::names);
  ASSERT_NE(cancel, jobs->options.end());
  EXPECT_EQ(conditions_of(*cancel), " (with ID and --reason)");
  EXPECT_NE(markdown_page(program).find("stays done (with ID and --reason) |"), std::string::npos);
}

TEST_F(VerbPageTest, PagesHaveAllVerbs) {
  const VerbPage program = describe(app_);
  const std::string markdown = markdown_page(program);
  for (const VerbPage& verb : program.parts) {
    EXPECT_NE(markdown.find("\n### " + verb.path + "\n"), std::string::npos) << verb.path;
    for (const std::string& script :
         {bash_completion(program), zsh_completion(program), fish_completion(program)}) {
      EXPECT_NE(script.find("'|" + verb.path + "'"), std::string::npos) << verb.path;
    }
  }
}

TEST_F(VerbPageTest, ManPagesEscapeWhatIsNoInstruction) {
  VerbPage page;
  page.path = "x";
  page.help = "Show";
  page.footer = ".so /etc/passwd\n'quoted'\nback\\slash --dash";
  const std::string text = man_page(page, page, "1.0", "2026-11-30");
  EXPECT_EQ(text.find("\n.so"), std::string::npos);
  EXPECT_NE(text.find("\n\\&.so"), std::string::npos);
  EXPECT_NE(text.find("\n\\&'quoted'"), std::string::npos);
  EXPECT_NE(text.find("back\\eslash \\-\\-dash"), std::string::npos);
}

}  // namespace
}  // namespace concerto::tools
