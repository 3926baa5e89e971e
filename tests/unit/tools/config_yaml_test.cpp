#include "config_yaml.hpp"

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

struct NumberCase {
  const char* yaml;
  const char* digits;  ///< null: no number
};

// The int64 that gopkg.in/yaml.v3, which the reference uses, reads from each text.
constexpr NumberCase number_cases[] = {
    {"3", "3"},
    {"+3", "3"},
    {"-3", "-3"},
    {"3.0", "3"},
    {"12.", "12"},
    {".0", "0"},
    {"1_000", "1000"},
    {"1__0", "10"},
    {"1_", "1"},
    {"1_0.0", "10"},
    {"0x10", "16"},
    {"0X8fB5", "36789"},
    {"-0x10", "-16"},
    {"0x_10", "16"},
    {"0o17", "15"},
    {"-0O17", "-15"},
    {"017", "15"},
    {"08", "8"},
    {"00", "0"},
    {"0b11", "3"},
    {"-0B11", "-3"},
    {"1e1", "10"},
    {"1.2e1", "12"},
    {"+1.0E1", "10"},
    {"10e-1", "1"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"1e18", "1000000000000000000"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", nullptr},
    {"9.3e18", nullptr},
    {"1e400", nullptr},
    {".inf", nullptr},
    {"inf", nullptr},
    {".nan", nullptr},
    {"0x", nullptr},
    {"0o8", nullptr},
    {"0b2", nullptr},
    {"0x1p4", nullptr},
    {"_1", nullptr},
    {"+-1", nullptr},
    {"--1", nullptr},
    {"1:30", nullptr},
    {"1,000", nullptr},
    {"1 000", nullptr},
    {"true", nullptr},
    {"yes", nullptr},
    {"", nullptr},
    {"-", nullptr},
};

TEST(YamlInteger, IsSpeltInManyWays) {
  for (const auto& [yaml, digits] : number_cases) {
    const auto number = yaml_integer(yaml);
    ASSERT_EQ(number.has_value(), digits != nullptr) << yaml;
    if (!number) continue;
    EXPECT_EQ(number->digits, digits) << yaml;
    EXPECT_TRUE(number->exact) << yaml;
  }
}

}  // namespace
}  // namespace concerto::tools
