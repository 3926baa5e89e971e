#include "config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_keys.hpp"

namespace concerto::tools {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<std::string> nothing_set(const std::string&) {
  return std::nullopt;
}

LoadedConfig load(const std::string& yaml) {
  return load_config(yaml, nothing_set);
}

struct RefusedCase {
  const char* name;
  const char* yaml;
  const char* error;
};

void PrintTo(const RefusedCase& row, std::ostream* out) {
  *out << row.name;
}

class RefusedConfig : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedConfig, SaysWhatIsWrong) {
  EXPECT_THAT(load(GetParam().yaml).findings.errors, ElementsAre(HasSubstr(GetParam().error)));
}

const RefusedCase refused_cases[] = {
    {"RetryIntervalZero", "RetryInterval: 0", "RetryInterval should not be less than 1"},
    {"TimeoutBelowRetry", "TimeoutToFail: 9",
     "TimeoutToFail should not be less than RetryInterval"},
    {"RedisStore", "Store: {Driver: redis}", "Store.Driver 'redis' is not in this version"},
    {"MysqlStore", "Store: {Driver: mysql}", "Store.Driver 'mysql' is not in this version"},
    {"PostgresStore", "Store: {Driver: postgres}",
     "Store.Driver 'postgres' is not in this version"},
    {"SqlServer", "Store: {Driver: sqlserver}", "Store.Driver 'sqlserver' is not in this version"},
    {"UnknownStore", "Store: {Driver: papyrus}",
     "Store.Driver: expected leveldb or memory, found 'papyrus'"},
    {"NoPath", "Store: {Path: ''}", "Store.Path is empty"},
    {"KnownDriver", "MicroService: {Driver: dtm-driver-kratos}",
     "MicroService.Driver 'dtm-driver-kratos' is not in this version"},
    {"UnknownDriver", "MicroService: {Driver: X}",
     "no dtm driver with name: X has been registered"},
    {"KnownScheme",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'consul://h:8500/d', EndPoint: 'h:1'}",
     "scheme 'consul' is not in this version"},
    {"UnknownScheme",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'smoke://h:8500/d', EndPoint: 'h:1'}",
     "unknown scheme: smoke"},
    {"NoScheme",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'localhost/d', EndPoint: 'h:1'}",
     "expected scheme://hosts/key"},
    {"NoRegistryHost",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd:///d', EndPoint: 'h:1'}",
     "the host or the key is missing"},
    {"NoRegistryKey",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd://h:2379/?user=u', EndPoint: 'h:1'}",
     "the host or the key is missing"},
    {"NoEndPoint", "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd://h:2379/d'}",
     "MicroService.EndPoint is empty"},
    {"TimeZone", "TimeZoneOffset: UTC", "TimeZoneOffset: expected hours from -12 to 14"},
    {"TimeZoneTooFar", "TimeZoneOffset: 15", "found '15'"},
    {"MapForText", "GrpcServiceConfig: {a: 1}", "GrpcServiceConfig: expected one value"},
    {"ValueForSection", "Store: leveldb", "Store: expected a section"},
    {"ListForFile", "- a\n- b", "is not a map of keys"},
    {"NotYaml", "Store: {Driver: [}", "is not valid YAML"},
    {"Twice", "HttpPort: 1\nHttpPort: 2", "HttpPort: the key is there twice"},
};
INSTANTIATE_TEST_SUITE_P(All, RefusedConfig, testing::ValuesIn(refused_cases),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Config, DefaultsAreValid) {
  const auto loaded = load("");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.notices, IsEmpty());
}

TEST(Config, TakesTheArticlesFile) {
  const auto loaded = load(
      "MicroService:\n"
      "  Driver: 'dtm-driver-gozero'\n"
      "  Target: 'etcd://localhost:2379/dtmservice'\n"
      "  EndPoint: 'localhost:36790'\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
  EXPECT_EQ(loaded.config.micro_service.driver, "dtm-driver-gozero");
  EXPECT_EQ(loaded.config.micro_service.target, "etcd://localhost:2379/dtmservice");
  EXPECT_EQ(loaded.config.micro_service.end_point, "localhost:36790");
}

TEST(Config, BoltdbMeansTheEmbeddedStoreAndSaysSo) {
  const auto loaded = load("Store: {Driver: boltdb}");
  EXPECT_EQ(loaded.config.store.driver, "leveldb");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.notices, ElementsAre(HasSubstr("dtm.bolt")));
}

TEST(Config, UnknownKeysNameTheNearestKnownOne) {
  const auto loaded = load("GrpcBalancer: x\nStore: {Hots: a}\nMaxInFlite: 3");
  EXPECT_THAT(loaded.findings.unknown_keys,
              ElementsAre(HasSubstr("'GrpcBalancer'"),
                          AllOf(HasSubstr("'Store.Hots'"), HasSubstr("'Store.Host'")),
                          AllOf(HasSubstr("'MaxInFlite'"), HasSubstr("'MaxInFlight'"))));
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
}

TEST(Config, MissingFileAndDirectoryAreErrors) {
  EXPECT_THAT(load_config_file("no/such/file.yml", nothing_set).findings.errors,
              ElementsAre(HasSubstr("'no/such/file.yml': No such file")));
  EXPECT_THAT(load_config_file(".", nothing_set).findings.errors,
              ElementsAre(HasSubstr("directory")));
}

TEST(Config, PrintedIsReadBackTheSame) {
  Config config;
  for (const KeyRow& row : config_keys()) {
    if (row.secrecy != Secrecy::open) continue;
    std::string text = key_text(config, row);
    if (text == "info") text = "warn";
    if (std::holds_alternative<std::string& (*)(Config&)>(row.field)) text += " it's: #\"x\" \\n";
    if (text == "0") text = "1";
    ASSERT_TRUE(set_key(config, row, text)) << row.path;
  }
  const auto loaded = load(print_config(config));
  EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
  for (const KeyRow& row : config_keys()) {
    EXPECT_EQ(key_text(loaded.config, row), key_text(config, row)) << row.path;
  }
}

TEST(Config, SecretsAreNeverShown) {
  const auto loaded = load(
      "Store: {Password: hush1}\n"
      "MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1',\n"
      "  Target: 'etcd://h:2379/dtmservice?user=U&password=hush2=x'}\n"
      "AlertWebHook: 'https://me:hush3@alerts/hook?access_token=hush4'\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_EQ(loaded.config.store.password, "hush1");
  for (const std::string& text : {print_config(loaded.config), summarize(loaded.config)}) {
    EXPECT_THAT(text, Not(HasSubstr("hush")));
    EXPECT_THAT(text, AllOf(HasSubstr("etcd://h:2379/dtmservice?user=***&password=***"),
                            HasSubstr("https://me:***@alerts/hook?access_token=***")));
  }
  EXPECT_THAT(load(print_config(loaded.config)).config.store.password, IsEmpty());
}

TEST(Config, ARunningProcessTakesOverWhatItMay) {
  Config running = load("MaxInFlight: 5\nHttpPort: 1").config;
  const Config fresh = load(
                           "LogLevel: debug\nMaxInFlight: 7\nMaxBodyBytes: 1 MiB\nHttpPort: 2\n"
                           "Store: {FailedDataExpire: 9, Path: /other}")
                           .config;
  EXPECT_THAT(take_over(fresh, running), ElementsAre("Store.Path", "HttpPort"));
  EXPECT_EQ(running.log.level, LogLevel::debug);
  EXPECT_EQ(running.coordinator.in_flight_max, 7U);
  EXPECT_EQ(running.limits.body_bytes_max, std::size_t{1} << 20);
  EXPECT_EQ(running.store.failed_data_expire, std::chrono::seconds(9));
  EXPECT_EQ(running.http_port, 1);
  EXPECT_EQ(running.store.path, "./concerto-data");
}

TEST(Config, AdminBasePathIsAPath) {
  EXPECT_THAT(load("AdminBasePath: /dtm").findings.errors, IsEmpty());
  for (const char* wrong : {"dtm", "/dtm/", "/"}) {
    const auto loaded = load(std::string("AdminBasePath: ") + wrong);
    EXPECT_THAT(loaded.findings.errors,
                ElementsAre(HasSubstr("AdminBasePath: expected a path as /dtm, found '")))
        << wrong;
  }
}

TEST(Config, SummaryHasWhatDiffersFromTheDefaults) {
  EXPECT_EQ(summarize(load("HttpPort: 1\nStore: {Path: /data}").config),
            "Store.Path=/data, HttpPort=1");
  EXPECT_EQ(summarize(Config{}), "all keys have their defaults");
}

}  // namespace
}  // namespace concerto::tools
