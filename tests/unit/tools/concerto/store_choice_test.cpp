#include "store_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<StoreChoice> choose(const std::string& text, const std::string& password = "") {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "STORE_PATH") return "/from/environment";
    return std::nullopt;
  };
  return choose_store(text, password, environment, standard_tables());
}

TEST(StoreChoice, AUrlNamesServerUserAndDatabase) {
  const auto choice = choose("postgres://me:a%2Fb'c@db1:5433/money?Schema=bank");
  ASSERT_TRUE(choice) << choice.error().detail;
  EXPECT_EQ(choice->settings.driver, "postgres");
  EXPECT_EQ(choice->settings.database.host, "db1");
  EXPECT_EQ(choice->settings.database.port, 5433);
  EXPECT_EQ(choice->settings.database.user, "me");
  EXPECT_EQ(choice->settings.database.password, "a/b'c");
  EXPECT_EQ(choice->settings.database.database, "money");
  EXPECT_EQ(choice->settings.database.schema, "bank");
  EXPECT_THAT(choice->place, Not(HasSubstr("a/b'c")));
}

TEST(StoreChoice, APasswordMayComeFromElsewhere) {
  const auto choice = choose("mysql://me@db1:3306", "secret");
  ASSERT_TRUE(choice) << choice.error().detail;
  EXPECT_EQ(choice->settings.database.password, "secret");
  EXPECT_EQ(choice->settings.database.database, "dtm");
}

TEST(StoreChoice, ADirectoryAndAPrefixAreTaken) {
  const auto directory = choose("leveldb:/var/lib/concerto");
  ASSERT_TRUE(directory) << directory.error().detail;
  EXPECT_EQ(directory->settings.path, "/var/lib/concerto");
  const auto redis = choose("redis://:pw@r1:6379?RedisPrefix={b}");
  ASSERT_FALSE(redis) << "a brace has to be written as %7B";
  const auto encoded = choose("redis://:pw@r1:6379?RedisPrefix=%7Bb%7D");
  ASSERT_TRUE(encoded) << encoded.error().detail;
  EXPECT_EQ(encoded->settings.redis.prefix, "{b}");
}

TEST(StoreChoice, TheEnvironmentCountsOnlyIfItIsNamed) {
  EXPECT_EQ(choose("env")->settings.path, "/from/environment");
  EXPECT_EQ(choose("leveldb:/x")->settings.path, "/x");
}

TEST(StoreChoice, WhatIsWrongIsSaidWithoutPasswords) {
  for (const char* text :
       {"postgres://me:s3cret@", "papyrus://me:s3cret@x", "mysql://me:s3cret@h:1/db?Paht=3",
        "postgres://me:s3cret@h:x/db", "/no/such/s3cret.yml?", "memory:x"}) {
    const auto choice = choose(text);
    ASSERT_FALSE(choice) << text;
    if (std::string_view(text).starts_with("/no")) continue;
    EXPECT_THAT(choice.error().detail, Not(HasSubstr("s3cret"))) << text;
  }
}

}  // namespace
}  // namespace concerto::tools
