#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verb_error.hpp"
#include "verb_page.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Words = std::vector<std::string>;

/// What the parser says against these words; empty if nothing.
std::string refusal_of(Words words) {
  CLI::App app("The command line", "concerto");
  const KnownVerbs known = add_verbs(app);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return {};
}

/// The words that lead to an option of a verb: the verb, and what stands before.
Words before(const VerbPage& page, const OptionPage& option) {
  Words words = CLI::detail::split(page.path, ' ');
  for (const OptionPage& other : page.options) {
    if (!option.is_word) break;
    if (other.names == option.names) break;
    if (other.is_word) words.push_back(other.choices.empty() ? "x" : other.choices.front());
  }
  if (!option.is_word) words.push_back(option.names.back());
  return words;
}

std::size_t check_empty_texts(const VerbPage& page) {
  std::size_t checked = 0;
  for (const OptionPage& option : page.options) {
    const std::string& name = option.names.back();
    if (!option.has_value || name == "--remark" || name == "arguments") continue;
    for (const char* empty : {"", " \t"}) {
      Words words = before(page, option);
      words.emplace_back(empty);
      EXPECT_THAT(refusal_of(words), HasSubstr(name)) << page.path;
      ++checked;
    }
  }
  for (const VerbPage& part : page.parts) checked += check_empty_texts(part);
  return checked;
}

TEST(CommandLine, NoOptionTakesAnEmptyText) {
  CLI::App app("The command line", "concerto");
  const KnownVerbs known = add_verbs(app);
  EXPECT_GT(check_empty_texts(describe(app)), 400U);
  EXPECT_EQ(refusal_of({"topics", "subscribe", "t", "http://a", "--remark", ""}), "");
  EXPECT_EQ(refusal_of({"bench", "--", "--x", ""}), "");
}

Words ordered(const Words& words) {
  CLI::App app("The command line", "concerto");
  const KnownVerbs known = add_verbs(app);
  return in_order(app, words).value();
}

TEST(CommandLine, OptionsOfTheCoordinatorMayStandBeforeTheVerb) {
  EXPECT_THAT(ordered({"concerto", "--server", "http://a", "-o", "json", "topics", "list"}),
              ElementsAre("concerto", "topics", "list", "--server", "http://a", "-o", "json"));
  EXPECT_THAT(ordered({"concerto", "--server=http://a", "-oyaml", "get", "g", "--timeout", "3"}),
              ElementsAre("concerto", "get", "--server=http://a", "-oyaml", "g", "--timeout", "3"));
  EXPECT_THAT(ordered({"concerto", "--context", "get", "list", "get"}),
              ElementsAre("concerto", "list", "--context", "get", "get"));
  for (const Words& as_they_are :
       {Words{"concerto"}, Words{"concerto", "--server", "http://a"}, Words{"concerto", "--server"},
        Words{"concerto", "--help"}, Words{"concerto", "--limit", "3", "list"},
        Words{"concerto", "--what", "list"}, Words{"concerto", "bench", "--", "--x=", "list"},
        Words{"concerto", "topics", "-o", "json", "list"}, Words{"concerto", "topics"},
        Words{"concerto", "list", "--server", "http://a"}}) {
    EXPECT_EQ(ordered(as_they_are), as_they_are);
  }
}

TEST(CommandLine, AnOptionWithoutItsValueTakesNoOtherWord) {
  CLI::App app("The command line", "concerto");
  const KnownVerbs known = add_verbs(app);
  const auto refused = in_order(app, {"concerto", "stop", "g", "--reason=", "--dry-run"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, make_error_code(VerbErrc::usage));
  EXPECT_EQ(refused.error().detail, "--reason: expected a text that is not empty");
}

TEST(CommandLine, AWordThatIsNoVerbIsNamed) {
  CLI::App app("The command line", "concerto");
  const KnownVerbs known = add_verbs(app);
  const std::pair<Words, const char*> cases[] = {
      {{"nosuch"}, "there is no verb 'nosuch'; concerto --help shows all of them"},
      {{"lost", "--all"}, "there is no verb 'lost'; did you mean 'list'?"},
      {{"Skip", "g"}, "there is no verb 'Skip'; did you mean 'skip'?"},
      {{"--server", "http://a", "lsit"}, "there is no verb 'lsit'; did you mean 'list'?"},
      {{"comp"}, "there is no verb 'comp'; did you mean 'completion'?"},
      {{"wh"}, "there is no verb 'wh'; did you mean 'why'?"},
      {{""}, "there is no verb ''; concerto --help shows all of them"},
      {{"topics", "sub", "t"}, "there is no verb 'topics sub'; did you mean 'topics subscribe'?"},
      {{"topics", "t"}, "there is no verb 'topics t'; concerto topics --help shows all of them"},
      {{"context", "ad"}, "there is no verb 'context ad'; did you mean 'context add'?"}};
  for (const auto& [words, told] : cases) {
    Words all{"concerto"};
    all.insert(all.end(), words.begin(), words.end());
    const auto refused = in_order(app, all);
    ASSERT_FALSE(refused) << told;
    EXPECT_EQ(refused.error().code, make_error_code(VerbErrc::usage));
    EXPECT_EQ(refused.error().detail, told);
  }
}

}  // namespace
}  // namespace concerto::tools
