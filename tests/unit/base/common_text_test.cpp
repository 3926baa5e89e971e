#include <string>

#include <gtest/gtest.h>

#include <concerto/base/common_text.hpp>

namespace concerto {
namespace {

struct TextCase {
  const char* name;
  const char* text;
  const char* want;
};

void PrintTo(const TextCase& row, std::ostream* out) {
  *out << row.name;
}

class CommonText : public testing::TestWithParam<TextCase> {};

TEST_P(CommonText, HasNothingOfOneTransaction) {
  EXPECT_EQ(common_text(GetParam().text, "g-7"), GetParam().want);
  EXPECT_EQ(common_text(GetParam().want, "g-7"), GetParam().want) << "it stays as it is";
  EXPECT_TRUE(has_text(GetParam().text, "g-7", GetParam().want)) << "it can be searched for";
  EXPECT_TRUE(has_text(GetParam().text, "g-7", GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Table, CommonText,
    testing::Values(
        TextCase{"Empty", "", ""}, TextCase{"Plain", "connection refused", "connection refused"},
        TextCase{"QueryBeforeAColon",
                 "answer of http://h:1/a?branch_id=02&gid=g-7&op=action: deadline exceeded",
                 "answer of http://h:1/a: deadline exceeded"},
        TextCase{"QueryAtTheEnd", "http://h/a?gid=g-7", "http://h/a"},
        TextCase{"QueryBeforeAComma", "at http://h/a?x=1, and at http://h/b?y=2.",
                 "at http://h/a, and at http://h/b."},
        TextCase{"EmptyQuery", "http://h/a?: refused", "http://h/a: refused"},
        TextCase{"Fragment", "http://h/a#f refused", "http://h/a refused"},
        TextCase{"InQuotes", R"("http://h/a?gid=g-7" refused)", R"("http://h/a" refused)"},
        TextCase{"NoQuery", "answer of http://h/a: 500", "answer of http://h/a: 500"},
        TextCase{"QuestionOutsideOfAUrl", "http://h/a: who? you", "http://h/a: who? you"},
        TextCase{"UrlInAQuery", "http://h/a?next=http://k/b?c=1: no", "http://h/a: no"},
        TextCase{"SchemeAtTheEnd", "http://", "http://"},
        TextCase{"Gid", "no order for g-7, sorry", "no order for {gid}, sorry"},
        TextCase{"GidInAPath", "http://h/orders/g-7/take", "http://h/orders/{gid}/take"},
        TextCase{"GidTwice", "g-7 g-7", "{gid} {gid}"},
        TextCase{"GidInALongerWord", "g-70 ag-7 g-7-b g-7_b", "g-70 ag-7 g-7-b g-7_b"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CommonTextOfNobody, KeepsEverythingButQueries) {
  EXPECT_EQ(common_text("a http://h/a?b", ""), "a http://h/a");
  EXPECT_FALSE(has_text("http://h/a?b", "g", "http://h/c"));
}

}  // namespace
}  // namespace concerto
