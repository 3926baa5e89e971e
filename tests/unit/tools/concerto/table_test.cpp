#include "table.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "display_width.hpp"

namespace concerto::tools {
namespace {

Terminal of_columns(std::size_t columns, bool has_colour = false) {
  Terminal terminal;
  terminal.is_terminal = columns > 0;
  terminal.columns = columns;
  terminal.has_colour = has_colour;
  return terminal;
}

std::string shown(const Table& table, const Terminal& terminal) {
  std::ostringstream out;
  table.print(out, terminal);
  return out.str();
}

Table two_columns() {
  Table table({{"NAME", false, false}, {"COUNT", true, false}, {"WHY", false, true}});
  table.add({"a", "1", "it waits for its time, which has not come"});
  table.add({"longer", "12345", ""});
  return table;
}

TEST(DisplayWidth, CountsColumnsAndNoBytes) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("plain"), 5U);
  EXPECT_EQ(display_width("\u4ea4\u6613"), 4U);  // two Chinese characters
  EXPECT_EQ(display_width("gr\u00fcn"), 4U);     // a letter of two bytes
  EXPECT_EQ(display_width("e\u0301"), 1U);       // an accent upon the letter before it
  EXPECT_EQ(display_width("\U0001F600"), 2U);    // an emoji
}

TEST(DisplayWidth, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 4), "abc\u2026");
  EXPECT_EQ(cut_to_width("\u4ea4\u6613\u4ea4", 5), "\u4ea4\u6613\u2026");
  // Half of a wide character would fit: a blank stands there.
  EXPECT_EQ(cut_to_width("\u4ea4\u6613\u4ea4", 4), "\u4ea4\u2026 ");
  EXPECT_EQ(display_width(cut_to_width("\u4ea4\u6613\u4ea4", 4)), 4U);
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Table, CutsNothingInAPipe) {
  EXPECT_EQ(shown(two_columns(), of_columns(0)),
            "NAME    COUNT  WHY\n"
            "a           1  it waits for its time, which has not come\n"
            "longer  12345  -\n");
}

TEST(Table, FitsATerminal) {
  const std::string text = shown(two_columns(), of_columns(40));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 40U) << line;
  EXPECT_NE(text.find("it waits"), std::string::npos);
  EXPECT_NE(text.find("\u2026"), std::string::npos);
}

TEST(Table, KeepsWhatMayNotBeCut) {
  const std::string text = shown(two_columns(), of_columns(10));
  EXPECT_NE(text.find("longer  12345"), std::string::npos) << text;
}

TEST(Table, AlignsWideCharacters) {
  Table table({{"TOPIC", false, false}, {"N", true, false}});
  table.add({"\u4ea4\u6613", "1"});
  table.add({"abc", "2"});
  EXPECT_EQ(shown(table, of_columns(0)), "TOPIC  N\n\u4ea4\u6613   1\nabc    2\n");
}

TEST(Table, ShowsCharactersThatATerminalObeysAsNumbers) {
  Table table({{"GID", false, false}});
  table.add({"a\x1b[2Jb\nc"});
  const std::string text = shown(table, of_columns(0));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Table, ColoursOnlyWhereColoursAre) {
  Table table({{"STATUS", false, false}});
  table.add({{"failed", colour_of_status("failed")}});
  EXPECT_EQ(shown(table, of_columns(80)), "STATUS\nfailed\n");
  EXPECT_EQ(shown(table, of_columns(80, true)), "\x1b[1mSTATUS\x1b[0m\n\x1b[31mfailed\x1b[0m\n");
}

}  // namespace
}  // namespace concerto::tools
