#include "secrets.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temp_dir.hpp"

namespace concerto::tools {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<std::string> nothing(const std::string& /*name*/) {
  return std::nullopt;
}

class SecretFiles : public testing::Test {
 protected:
  std::string file(const std::string& text, std::filesystem::perms perms) {
    const std::string path = directory_.path() + "/secret";
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, perms);
    return path;
  }
  std::string private_file(const std::string& text) {
    return file(text, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

  test::TempDir directory_;
};

TEST_F(SecretFiles, StandForTheirKeysWithoutTheLineBreakAtTheEnd) {
  for (const char* text : {" a'b\n", " a'b", " a'b\r\n"}) {
    const auto loaded = load_config("Store: {PasswordFile: '" + private_file(text) + "'}", nothing);
    EXPECT_THAT(loaded.findings.errors, IsEmpty());
    EXPECT_THAT(loaded.findings.warnings, IsEmpty());
    EXPECT_EQ(loaded.config.store.password, " a'b");
  }
  const std::string hook = private_file("http://b/hook?token=x\n");
  EXPECT_EQ(load_config("AlertWebHookFile: '" + hook + "'", nothing).config.alert_web_hook,
            "http://b/hook?token=x");
  const std::string target = private_file("etcd://b:1/d\n");
  EXPECT_EQ(load_config("MicroService: {TargetFile: '" + target + "'}", nothing)
                .config.micro_service.target,
            "etcd://b:1/d");
}

TEST_F(SecretFiles, AreRefusedIfTheyCannotBeMeant) {
  EXPECT_THAT(
      load_config("Store: {PasswordFile: '" + private_file("\n") + "'}", nothing).findings.errors,
      ElementsAre(HasSubstr("it is empty")));
  const std::string large(100'000, 'x');
  const auto refused =
      load_config("Store: {PasswordFile: '" + private_file(large) + "'}", nothing).findings.errors;
  EXPECT_THAT(refused, ElementsAre(HasSubstr("too large")));
  EXPECT_THAT(refused.front(), Not(HasSubstr("xx")));
  const auto no_url =
      load_config("AlertWebHookFile: '" + private_file("hidden") + "'", nothing).findings.errors;
  EXPECT_THAT(no_url, ElementsAre(AllOf(HasSubstr("has no URL"), Not(HasSubstr("hidden")))));
}

TEST_F(SecretFiles, OfEverybodyAreWarnedOf) {
  const std::string open = file("p", std::filesystem::perms::all);
  EXPECT_THAT(load_config("Store: {PasswordFile: '" + open + "'}", nothing).findings.warnings,
              Contains(HasSubstr("everybody on this machine may read")));
}

TEST(Secrets, AreReplacedInWordsOfOthers) {
  Config config;
  config.store.password = "pass";
  config.micro_service.target = "etcd://root:p%40ss@h:1/d?caCert=/ca.pem&token=long%20secret";
  config.alert_web_hook = "https://token@h/x";
  const auto secrets = secrets_of(config);
  EXPECT_EQ(without_secrets("passed", {secrets_of([] {
                              Config other;
                              other.store.password = "pass";
                              other.alert_web_hook = "https://passed@h/x";
                              return other;
                            }())}),
            "***");
  EXPECT_EQ(
      without_secrets("AUTH pass, p@ss, p%40ss; long secret /ca.pem https://token@h", secrets),
      "AUTH ***, ***, ***; *** /ca.pem https://***@h");
  EXPECT_THAT(secrets, Not(Contains("/ca.pem")));
  config.alert_web_hook = "https://hooks.org/services/T01234567/B0/abcdefghijklmnopqrst?team=red-1";
  EXPECT_EQ(without_secrets("services of T01234567: https://hooks.org/services/T01234567/B0/"
                            "abcdefghijklmnopqrst?team=red-1, /B0/abcdefghijklmnopqrst red-1",
                            secrets_of(config)),
            "services of ***: https://hooks.org/***, /B0/*** red-1");
  config.store.password = "abc";
  EXPECT_THAT(secrets_of(config), Not(Contains("abc"))) << "it would make holes in words";
}

}  // namespace
}  // namespace concerto::tools
