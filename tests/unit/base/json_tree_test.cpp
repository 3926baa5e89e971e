#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <concerto/base/json_tree.hpp>

namespace concerto {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> keys_of(JsonValue object) {
  std::vector<std::string> keys;
  for (const JsonValue member : object) keys.emplace_back(member.key());
  return keys;
}

TEST(JsonTree, KeepsTheOrderOfMembersAndRepeatedNames) {
  JsonTree tree;
  ASSERT_TRUE(tree.parse(R"({"b":{"x":[1,{}]},"a":[],"b":2})"));
  EXPECT_THAT(keys_of(tree.root()), ElementsAre("b", "a", "b"));
  EXPECT_EQ(tree.root().find("b")->integer(), 2) << "of repeated names the last one counts";
  EXPECT_FALSE(tree.root().find("x").has_value()) << "a name of an inner object";
  const JsonValue inner = *(*tree.root().begin()).begin();
  EXPECT_EQ(inner.key(), "x");
  std::size_t elements = 0;
  for (const JsonValue element : inner) elements += element.key().empty() ? 1 : 0;
  EXPECT_EQ(elements, 2U);
}

TEST(JsonTree, ReadsEveryKind) {
  JsonTree tree;
  ASSERT_TRUE(tree.parse(R"([null,true,-5,18446744073709551615,2.5,"t",[],{}])"));
  std::vector<JsonValue> values;
  for (const JsonValue value : tree.root()) values.push_back(value);
  ASSERT_EQ(values.size(), 8U);
  EXPECT_TRUE(values[0].is(JsonKind::null));
  EXPECT_TRUE(values[1].boolean());
  EXPECT_EQ(values[2].integer(), -5);
  EXPECT_EQ(values[3].natural(), 18446744073709551615U);
  EXPECT_EQ(values[4].fraction(), 2.5);
  EXPECT_EQ(values[5].text(), "t");
  EXPECT_TRUE(values[6].is(JsonKind::array));
  EXPECT_TRUE(values[7].is(JsonKind::object));
}

TEST(JsonTree, ReadsTextsWithEscapesOfAnyLength) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}}) {
    const std::string plain(length, 'p');
    const std::string text = "{\"" + plain + "\\n\":\"" + plain + "\\u0041" + plain + "\"}";
    JsonTree tree;
    ASSERT_TRUE(tree.parse(text));
    const JsonValue member = *tree.root().begin();
    EXPECT_EQ(member.key(), plain + "\n");
    EXPECT_EQ(member.text(), plain + "A" + plain);
  }
}

TEST(JsonTree, ReadsWholeNumbersInEveryNotation) {
  const std::pair<const char*, std::optional<std::int64_t>> rows[] = {{"12", 12},
                                                                      {"12.0", 12},
                                                                      {"1.2e1", 12},
                                                                      {"-3", -3},
                                                                      {"1.5", std::nullopt},
                                                                      {"1e300", std::nullopt},
                                                                      {"\"12\"", std::nullopt},
                                                                      {"true", std::nullopt}};
  for (const auto& [text, want] : rows) {
    JsonTree tree;
    ASSERT_TRUE(tree.parse(text));
    EXPECT_EQ(tree.root().whole_number(), want) << text;
  }
}

TEST(JsonTree, KeepsTheTextOfNumbersUpToALimit) {
  const std::string longest(json_number_text_bytes_max, '1');
  for (const std::string& text : {std::string{"0"}, std::string{"-0"}, std::string{"-12"},
                                  std::string{"18446744073709551615"}, std::string{"1.0"},
                                  std::string{"-1.50E+07"}, std::string{"1e999"}, longest}) {
    JsonTree alone;
    ASSERT_TRUE(alone.parse(text));
    EXPECT_EQ(alone.root().number_text(), text);
    const std::string list = "[ " + text + " ,2]";
    JsonTree tree;
    ASSERT_TRUE(tree.parse(list));
    EXPECT_EQ((*tree.root().begin()).number_text(), text);
  }
  JsonTree tree;
  const std::string longer = longest + "1";
  ASSERT_TRUE(tree.parse(longer));
  EXPECT_EQ(tree.root().number_text(), "");
}

TEST(JsonTree, RefusesWhatExceedsItsLimits) {
  JsonTree tree;
  const std::string depth(json_depth_max, '[');
  EXPECT_TRUE(tree.parse(depth + std::string(json_depth_max, ']')));
  EXPECT_THAT(tree.parse(depth + "[").error().detail, HasSubstr("too deep"));
  std::string many = "[0";
  for (std::size_t i = 2; i < json_values_max; ++i) many += ",0";
  EXPECT_TRUE(tree.parse(many + "]"));
  EXPECT_THAT(tree.parse(many + ",0]").error().detail, HasSubstr("more than 500000 values"));
}

TEST(JsonTree, ParsesAnotherTextAfterAnError) {
  JsonTree tree;
  EXPECT_THAT(tree.parse("[1,").error().detail, HasSubstr("incomplete JSON at byte 3 of 3"));
  EXPECT_THAT(tree.parse("[] []").error().detail, HasSubstr("extra data at byte 3 of 5"));
  ASSERT_TRUE(tree.parse("[1]"));
  EXPECT_EQ((*tree.root().begin()).integer(), 1);
}

}  // namespace
}  // namespace concerto
