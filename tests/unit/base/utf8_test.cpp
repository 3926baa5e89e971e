#include <gtest/gtest.h>

#include <concerto/base/utf8.hpp>

namespace concerto {
namespace {

struct Utf8Case {
  const char* name;
  std::string text;
  std::string want;
};

void PrintTo(const Utf8Case& row, std::ostream* out) {
  *out << row.name;
}

class Utf8 : public testing::TestWithParam<Utf8Case> {};

TEST_P(Utf8, ReplacesBytesThatAreNotUtf8) {
  const Utf8Case& row = GetParam();
  EXPECT_EQ(to_utf8(row.text), row.want);
  EXPECT_EQ(is_utf8(row.text), row.text == row.want);
  EXPECT_TRUE(is_utf8(row.want));
}

const std::string bad = "\xEF\xBF\xBD";

INSTANTIATE_TEST_SUITE_P(
    Table, Utf8,
    testing::Values(Utf8Case{"Empty", "", ""}, Utf8Case{"Ascii", "gid-1", "gid-1"},
                    Utf8Case{"Zero", std::string("a\0b", 3), std::string("a\0b", 3)},
                    Utf8Case{"TwoBytes", "\xC3\xA4", "\xC3\xA4"},
                    Utf8Case{"ThreeBytes", "\xE8\xBD\xAC", "\xE8\xBD\xAC"},
                    Utf8Case{"FourBytes", "\xF0\x9F\x92\xB0", "\xF0\x9F\x92\xB0"},
                    Utf8Case{"Highest", "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
                    Utf8Case{"LoneContinuation", "a\x80z", "a" + bad + "z"},
                    Utf8Case{"CutSequence", "a\xE8\xBD", "a" + bad + bad},
                    Utf8Case{"CutBeforeAscii", "\xC3z", bad + "z"},
                    Utf8Case{"OverlongSlash", "\xC0\xAF", bad + bad},
                    Utf8Case{"OverlongThree", "\xE0\x80\x80", bad + bad + bad},
                    Utf8Case{"OverlongFour", "\xF0\x80\x80\x80", bad + bad + bad + bad},
                    Utf8Case{"Surrogate", "\xED\xA0\x80", bad + bad + bad},
                    Utf8Case{"AboveUnicode", "\xF4\x90\x80\x80", bad + bad + bad + bad},
                    Utf8Case{"NeverAByte", "\xFF", bad}),
    [](const auto& row) { return row.param.name; });

TEST(Utf8Text, HasItsBytesCheckedAtEveryPlace) {
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string text = std::string(before, 'a') + "\xFF" + std::string(17, 'b');
    EXPECT_FALSE(is_utf8(text)) << before;
    EXPECT_EQ(to_utf8(text), std::string(before, 'a') + bad + std::string(17, 'b'));
  }
}

TEST(VisibleLine, ShowsCharactersThatAreObeyedAndNotSeen) {
  EXPECT_EQ(visible_line("g\x1b[2J\r\n\x7f\u0085 \u00e9\u2026\"\\"),
            "g\\u001b[2J\\u000d\\u000a\\u007f\\u0085 \u00e9\u2026\"\\");
  EXPECT_EQ(visible_line("a\u2028b\u2029\u202Ec\u2066\u061C\u200F\uFEFF\u200Bd"),
            "a\\u2028b\\u2029\\u202ec\\u2066\\u061c\\u200f\\ufeff\\u200bd");
  EXPECT_EQ(visible_line("\xE2\x80"), "\uFFFD\uFFFD") << "cut short";
  EXPECT_EQ(visible_line("\xD8\x9C\xC2"), "\\u061c\uFFFD");
}

}  // namespace
}  // namespace concerto
