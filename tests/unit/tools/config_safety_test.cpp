// What is an error, or is warned of, so that nothing is open that somebody wanted to close.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_changes.hpp"
#include "config_exposure.hpp"
#include "config_keys.hpp"
#include "config_print.hpp"
#include "secrets.hpp"
#include "temp_dir.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LoadedConfig load_text(const std::string& yaml) {
  return load_config(yaml, [](const std::string&) { return std::nullopt; });
}

TEST(SafeConfig, AMisspeltKeyOfItsOwnIsAnErrorThatNamesTheKeyThatWasMeant) {
  const std::pair<const char*, const char*> cases[] = {
      {"\nAuht: {CallersFile: c}", "line 2: unknown key 'Auht'; 'Auth' was probably meant"},
      {"auth: {CallersFile: c}", "line 1: unknown key 'auth'; 'Auth' was probably meant"},
      {"TargetAlow: a.b", "line 1: unknown key 'TargetAlow'; 'TargetAllow' was probably meant"},
      {"targetallow: a.b", "line 1: unknown key 'targetallow'; 'TargetAllow' was probably meant"},
      {"Limits:\n  Conections: 5",
       "line 2: unknown key 'Limits.Conections'; 'Limits.Connections' was probably meant"},
      {"Tls: {Surprise: x}", "line 1: unknown key 'Tls.Surprise'; the section Tls has no such key"},
      {"Store: {TlsMod: verify-full}",
       "line 1: unknown key 'Store.TlsMod'; 'Store.TlsMode' was probably meant"},
      {"Log: {TargetAllow: a.b}",
       "line 1: unknown key 'Log.TargetAllow'; 'TargetAllow' was probably meant"},
      {"CallersFile: c",
       "line 1: unknown key 'CallersFile'; 'Auth.CallersFile' was probably meant"}};
  for (const auto& [yaml, error] : cases) {
    const auto loaded = load_text(yaml);
    EXPECT_THAT(loaded.findings.errors, ElementsAre(error)) << yaml;
    EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty()) << yaml;
  }
}

TEST(SafeConfig, AVariableThatIsNearlyOneOfAKeyThatProtectsIsWarnedOf) {
  const std::vector<std::string> names{
      "TARGET_ALOW", "auth_callers_file", "AUTH_CALLERS_FILE", "TLS_CERTFILE",
      "TARGET",      "XUTH_CALLERS_FILE", "STORE_HOTS"};
  EXPECT_THAT(misspelt_variables(names, KeyTable::standard()),
              testing::UnorderedElementsAre(HasSubstr("TARGET_ALOW; TARGET_ALLOW was probably"),
                                            HasSubstr("auth_callers_file; AUTH_CALLERS_FILE was"),
                                            HasSubstr("TLS_CERTFILE; TLS_CERT_FILE was")));
}

TEST(SafeConfig, NamesWhatAReloadChangesAndWhatItLoosens) {
  const Config running =
      load_text("TargetAllow: a.b\nLimits: {Connections: 5, Burst: 3}\nMaxInFlight: 5\nHttpPort: 1")
          .config;
  std::string told;
  for (const KeyChange& change : changes(running, load_text("MaxInFlight: 7").config)) {
    told += (change.loosens ? "! " : "") + change.text + "\n";
  }
  EXPECT_EQ(told,
            "! TargetAllow: 'a.b' -> ''\nMaxInFlight: '5' -> '7'\nLimits.Burst: '3' -> '0'\n"
            "! Limits.Connections: '5' -> '0'\n");
}

TEST(SafeConfig, AFileThatHasLostItsKeysIsNotReloaded) {
  for (const char* text : {"", "# nothing\n", "Store:\n"}) {
    auto fresh = load_text(text);
    refuse_lost_keys(3, fresh);
    EXPECT_THAT(fresh.findings.errors, ElementsAre(HasSubstr("no key any more, but had 3")));
    auto first = load_text(text);
    refuse_lost_keys(0, first);
    EXPECT_THAT(first.findings.errors, IsEmpty());
  }
  auto fresh = load_text("HttpPort: 1\nStore: {Path: /a}");
  EXPECT_EQ(fresh.file_keys, 2U);
  refuse_lost_keys(3, fresh);
  EXPECT_THAT(fresh.findings.errors, IsEmpty());
}

TEST(SafeConfig, AKeyThatProtectsAndIsEmptyIsAnError) {
  for (const char* yaml :
       {"Auth: {CallersFile: }", "Auth: {CallersFile: ''}", "TargetAllow:", "TargetAllow: ' , ,'",
        "Tls: {CertFile: '', KeyFile: k}", "Audit: {File: ~}", "Proxies: {Trusted: ','}"}) {
    EXPECT_THAT(load_text(yaml).findings.errors,
                testing::Contains(HasSubstr("is empty; remove the key, or give it a value")))
        << yaml;
  }
  for (const char* yaml : {"Auth:", "TargetDeny: 'metadata, link-local'", "ListenAddress: ''"}) {
    EXPECT_THAT(load_text(yaml).findings.errors, IsEmpty()) << yaml;
  }
  const auto blank = load_config("", [](const std::string& name) {
    return name == "TARGET_ALLOW" ? std::optional<std::string>{" ,"} : std::nullopt;
  });
  EXPECT_THAT(blank.findings.errors, ElementsAre(HasSubstr("only blanks and commas")));
}

TEST(SafeConfig, WhatWouldOpenMoreThanMeantIsToldOf) {
  EXPECT_THAT(load_text("Admin: {ListenAddress: 10.0.0.1}").findings.errors,
              ElementsAre(HasSubstr("Admin.Port is not set")));
  EXPECT_THAT(
      load_text("TargetDeny: 'metdata, link-local'").findings.errors,
      ElementsAre(HasSubstr("'metdata' is no group of addresses; 'metadata' was probably")));
  EXPECT_THAT(load_text("TargetDeny: 'Link-Local, metdata., metadata'").findings.errors, IsEmpty());
  EXPECT_THAT(load_text("TargetDeny: 'loopback'").findings.warnings,
              ElementsAre(HasSubstr("does not have metadata"), HasSubstr("not have link-local")));
}

TEST(SafeConfig, NetworksAreThoseThatAreMeant) {
  EXPECT_THAT(load_text("Proxies: {Trusted: '10.0.0.7/8'}").findings.errors,
              ElementsAre(HasSubstr("'10.0.0.7/8' has bits behind its prefix; the network is "
                                    "10.0.0.0/8")));
  EXPECT_THAT(load_text("Limits: {Exempt: 'fd00::1/64'}").findings.errors,
              ElementsAre(HasSubstr("the network is fd00::/64")));
  const auto wide = load_text(
      "Proxies: {Trusted: '10.0.0.0/7, 10.0.0.0/8'}\n"
      "Limits: {Exempt: 'fc00::/7, fd00::/16'}");
  EXPECT_THAT(wide.findings.errors, IsEmpty());
  EXPECT_THAT(wide.findings.warnings, ElementsAre(HasSubstr("'10.0.0.0/7' is a very large network"),
                                                  HasSubstr("'fc00::/7' is a very large network")));
}

TEST(SafeConfig, APasswordIsNotShownWhereNoUrlCanBeRead) {
  for (const char* target : {"etcd//u:s3cr-1@h:2379/k", "u:s3cr-1@h:2379/k", "etcd//u:s3cr-1/x@h/k",
                             "etcd//h/k&password=s3cr-1"}) {
    const auto loaded =
        load_text("MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1', Target: '" +
                  std::string(target) + "'}\nStore: {Host: 'u:s3cr-2@h'}");
    std::string shown = print_config(loaded.config) + summarize(loaded.config);
    EXPECT_THAT(shown, HasSubstr("u:***@h"));
    EXPECT_THAT(loaded.findings.errors, ElementsAre(HasSubstr("MicroService.Target"))) << target;
    shown += loaded.findings.errors.front();
    EXPECT_THAT(shown, testing::Not(HasSubstr("s3cr"))) << target;
  }
  EXPECT_EQ(masked_userinfo("found 'u:p@q@h', a@b and x://y:z@h:1/c:d"),
            "found 'u:***@h', a@b and x://y:***@h:1/c:d");
}

TEST(SafeConfig, APasswordInPlainTextIsWarnedOf) {
  const auto warnings = [](const std::string& yaml) { return load_text(yaml).findings.warnings; };
  const std::string redis = "Store: {Driver: redis, Port: 6379, Password: hush, ";
  EXPECT_THAT(warnings(redis + "Host: r.b.org}"),
              ElementsAre(HasSubstr("Store.Password: the pass")));
  EXPECT_THAT(warnings(redis + "Host: '127.0.0.1:1,r:2'}"), ElementsAre(HasSubstr("plain text")));
  EXPECT_THAT(warnings(redis + "Host: '127.0.0.1:1,localhost:2'}"), IsEmpty());
  EXPECT_THAT(warnings(redis + "Host: r.b.org, TlsMode: require}"), IsEmpty());
  const std::string etcd = "MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1', Target: ";
  EXPECT_THAT(warnings(etcd + "'etcd://u:hush@e:2379/k'}"),
              ElementsAre(HasSubstr("MicroService.Target: the password goes in plain text")));
  EXPECT_THAT(warnings(etcd + "'etcd://u:hush@[::1]:2379/k'}"), IsEmpty());
  EXPECT_THAT(warnings(etcd + "'etcd://e:2379/k'}"), IsEmpty());
}

TEST(SafeConfig, FilesThatEverybodyMayChangeOrReadAreWarnedOf) {
  test::TempDir directory;
  const std::string file = directory.path() + "/file";
  std::ofstream(file) << "shop client sha256:nothing\n";
  const auto with_mode = [&](const char* key, unsigned mode) {
    std::filesystem::permissions(file, std::filesystem::perms{mode});
    Config config;
    (std::string_view(key) == "Tls.KeyFile" ? config.tls.key_file : config.auth.callers_file) =
        file;
    Findings findings;
    warn_of_open_files(config, findings);
    return findings.warnings;
  };
  EXPECT_THAT(with_mode("Auth.CallersFile", 0644), IsEmpty());
  EXPECT_THAT(with_mode("Auth.CallersFile", 0646),
              ElementsAre(HasSubstr("Auth.CallersFile: everybody on this machine may change")));
  EXPECT_THAT(with_mode("Tls.KeyFile", 0640), IsEmpty());
  EXPECT_THAT(with_mode("Tls.KeyFile", 0644),
              ElementsAre(HasSubstr("Tls.KeyFile: everybody on this machine may read the file")));
}

TEST(SafeConfig, TheCheckReadsTheFilesThatAStartReads) {
  test::TempDir directory;
  const std::string file = directory.path() + "/callers";
  std::ofstream(file) << "shop client sha256:nothing\n";
  Config config;
  config.auth.callers_file = file;
  config.audit.file = directory.path() + "/none/audit.jsonl";
  Findings findings;
  check_files(config, findings);
  EXPECT_THAT(findings.errors, ElementsAre(HasSubstr("Audit.File: nothing can be written in"),
                                           HasSubstr("line 1: a SHA-256 has 64")));
}

}  // namespace
}  // namespace concerto::tools
