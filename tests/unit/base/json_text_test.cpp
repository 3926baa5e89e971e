#include <string>

#include <gtest/gtest.h>

#include <concerto/base/json_text.hpp>

namespace concerto {
namespace {

std::string json(std::string_view text) {
  std::string out = "x";
  append_json_string(out, text);
  return out;
}

TEST(JsonText, IsAppendedInQuotes) {
  EXPECT_EQ(json(""), R"(x"")");
  EXPECT_EQ(json("caf\xc3\xa9 \x7f/"), "x\"caf\xc3\xa9 \x7f/\"");
}

TEST(JsonText, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(json("\"\\\b\f\n\r\t"), R"(x"\"\\\b\f\n\r\t")");
  EXPECT_EQ(json(std::string("\0\x01\x1f", 3)), R"(x"\u0000\u0001\u001f")");
}

TEST(JsonText, EscapesAtEveryPlace) {
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string text(before, 'a');
    const std::string after(17, 'b');
    EXPECT_EQ(json(text + '"' + after), "x\"" + text + "\\\"" + after + "\"");
  }
}

}  // namespace
}  // namespace concerto
