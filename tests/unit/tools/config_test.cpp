#include "config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_keys.hpp"
#include "config_print.hpp"
#include "store_setup.hpp"

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
    {"RedisWithoutHost", "Store: {Driver: redis}", "Redis host not valid"},
    {"RedisWithoutPort", "Store: {Driver: redis, Host: r}", "Store.Host: 'r' does not name"},
    {"MysqlStore", "Store: {Driver: mysql}", "Db host not valid"},
    {"PostgresStore", "Store: {Driver: postgres, Host: h, Port: 70000, User: u}",
     "Store.Port: expected a port from 1 to 65535, found '70000'"},
    {"PostgresUser", "Store: {Driver: postgres, Host: h, Port: 1}", "Db user not valid"},
    {"PostgresSchema", "Store: {Driver: postgres, Host: h, Port: 1, User: u, Schema: ''}",
     "Postgres schema not valid"},
    {"TlsMode", "Store: {Driver: postgres, Host: h, Port: 1, User: u, TlsMode: on}",
     "Store.TlsMode: expected disable, prefer"},
    {"TlsFile",
     "Store: {Driver: postgres, Host: h, Port: 1, User: u, TlsMode: prefer,"
     " TlsCaFile: /no/file}",
     "Store.TlsCaFile: the file '/no/file' cannot be read"},
    {"TlsOfRedis", "Store: {Driver: redis, Host: 'r:1', TlsMode: prefer}", "Store.TlsMode"},
    {"ShortLease", "Store: {Lease: 4}", "Store.Lease should not be less than 5: it is 4"},
    {"SqlServer", "Store: {Driver: sqlserver}", "Store.Driver 'sqlserver' is not in this version"},
    {"UnknownStore", "Store: {Driver: papyrus}", "found 'papyrus'"},
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
     "MicroService.Target 'localhost/d': no scheme"},
    {"NoRegistryHost",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd:///d', EndPoint: 'h:1'}",
     "MicroService.Target 'etcd:///d': bad address '': no host"},
    {"NoRegistryKey",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd://h:2379/?user=u', EndPoint: 'h:1'}",
     "no key after the hosts"},
    {"NoRegistryPort",
     "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd://h:x/k', EndPoint: 'h:1'}",
     "MicroService.Target 'etcd://h:x/k': bad address 'h:x': invalid port"},
    {"NoRegistryFile",
     "MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1',\n"
     "  Target: 'etcd://h:2379/k?caCert=/none.pem'}",
     "cannot load certificates from '/none.pem'"},
    {"NoEndPoint", "MicroService: {Driver: dtm-driver-gozero, Target: 'etcd://h:2379/d'}",
     "MicroService.EndPoint '': the address to publish"},
    {"ListenAddressWithPort", "ListenAddress: '127.0.0.1:80'", "found '127.0.0.1:80'"},
    {"ListenAddressOfAnInterface", "ListenAddress: eth0",
     "ListenAddress: expected an IP address without a port"},
    {"OnePortForBoth", "HttpPort: 9000\nGrpcPort: 9000", "HttpPort and GrpcPort are both 9000"},
    {"HookWithoutScheme", "AlertWebHook: nope",
     "AlertWebHook: expected an http or https URL, found 'nope'"},
    {"HookByFtp", "AlertWebHook: 'ftp://me:hush@x'", "found 'ftp://me:***@x'"},
    {"HookWithoutHost", "AlertWebHook: 'http:///a'", "found 'http:///***'"},
    {"AllowedUrl", "AllowedHosts: 'a.b,http://x/'", "AllowedHosts: expected names without scheme"},
    {"AllowedBlank", "AllowedHosts: 'x,a b'", "found 'a b'"},
    {"AdminPageOnAProbe", "AdminBasePath: /livez",
     "AdminBasePath: the admin page at '/livez' would be in the way of '/livez'"},
    {"AdminPageOnTheApi", "AdminBasePath: api//dtmsvr/query", "in the way of '/api/dtmsvr/query'"},
    {"AdminPageBelowARoute", "AdminBasePath: /api/dtmsvr/topic/t",
     "in the way of '/api/dtmsvr/topic/*'"},
    {"TimeZone", "TimeZoneOffset: UTC", "TimeZoneOffset: expected hours from -12 to 14"},
    {"TimeZoneTooFar", "TimeZoneOffset: 15", "found '15'"},
    {"TimeZoneWithTwoSigns", "TimeZoneOffset: '+-5'", "found '+-5'"},
    {"NoLog", "Log: {Outputs: ' ,'}", "Log.Outputs names no output"},
    {"Rotation", "Log: {RotationEnable: 1, RotationConfigJSON: '{\"maxage\": -1}'}",
     "Log.RotationConfigJSON: maxage: expected a number, found -1"},
    {"MergedValue", "<<: 5", "<<: expected a map of keys to merge"},
    {"MergedIntoItself", "a: &a {<<: *a}\n<<: *a", "<<: expected a map of keys to merge"},
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

TEST(Config, SchemeOfTheRegistryHasAnyCase) {
  EXPECT_THAT(load("MicroService: {Driver: dtm-driver-gozero, EndPoint: 'h:1',\n"
                   "  Target: 'ETCD://h1:2379, h2:2379/d'}")
                  .findings.errors,
              IsEmpty());
}

TEST(Config, NamesWhatRegistersNothing) {
  const auto loaded = load("MicroService: {Target: 'etcd://h:2379/d', EndPoint: 'h:1'}");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.warnings,
              ElementsAre(AllOf(HasSubstr("MicroService.Driver 'default' registers nothing"),
                                HasSubstr("dtm-driver-gozero"))));
}

TEST(Config, AnyFreePortMayServeBothApis) {
  EXPECT_THAT(load("HttpPort: 0\nGrpcPort: 0").findings.errors, IsEmpty());
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
  const auto loaded = load("Surprise: x\nStore: {Hots: a, Foo: b}\nMaxInFlite: 3");
  EXPECT_THAT(loaded.findings.unknown_keys,
              ElementsAre("unknown key 'Surprise'",
                          "unknown key 'Store.Hots'; the nearest known one is 'Store.Host'",
                          "unknown key 'Store.Foo'",
                          "unknown key 'MaxInFlite'; the nearest known one is 'MaxInFlight'"));
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
}

TEST(Config, KeysThatTheReferenceDoesNotReadEitherAreKnown) {
  const auto loaded = load(
      "GrpcBalancer: x\nTimeZoneOffset: '+8'\n"
      "Store: {TransGlobalTable: dtm.trans_global, TransBranchOpTable: dtm.trans_branch_op}");
  EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.notices,
              ElementsAre("GrpcBalancer: nothing reads this key",
                          "Store.TransGlobalTable: nothing reads this key",
                          "Store.TransBranchOpTable: nothing reads this key"));
}

TEST(Config, MissingFileAndDirectoryAreErrors) {
  EXPECT_THAT(load_config_file("no/such/file.yml", nothing_set).findings.errors,
              ElementsAre(HasSubstr("'no/such/file.yml': No such file")));
  EXPECT_THAT(load_config_file(".", nothing_set).findings.errors,
              ElementsAre(HasSubstr("directory")));
}

TEST(Config, PrintedIsReadBackTheSame) {
  Config config;
  for (const KeyRow& row : KeyTable::standard().rows()) {
    if (row.secrecy != Secrecy::open) continue;
    std::string text = key_text(config, row);
    if (text == "info") text = "warn";
    if (std::holds_alternative<std::string& (*)(Config&)>(row.field)) text += " it's: #\"x\" \\n";
    if (text == "0") text = "1";
    if (row.path == "AdminBasePath") text = "/" + text;
    ASSERT_TRUE(set_key(config, row, text)) << row.path;
  }
  const auto loaded = load(print_config(config));
  EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
  for (const KeyRow& row : KeyTable::standard().rows()) {
    EXPECT_EQ(key_text(loaded.config, row), key_text(config, row)) << row.path;
  }
}

TEST(Config, PrintedTextIsReadBackWhateverItsBytesAre) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string("a") + static_cast<char>(byte) + " b";
    Config config;
    config.store.path = text;
    config.store.db = "\n" + text + "\n\n";
    config.store.schema = "\xe2\x80\xa8" + text;
    const auto loaded = load(print_config(config));
    EXPECT_THAT(loaded.findings.errors, IsEmpty()) << byte;
    EXPECT_EQ(loaded.config.store.path, config.store.path) << byte;
    EXPECT_EQ(loaded.config.store.db, config.store.db) << byte;
    EXPECT_EQ(loaded.config.store.schema, config.store.schema) << byte;
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
                            HasSubstr("https://me:***@alerts/***")));
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

TEST(Config, ASqlStoreDeletesFinishedOnesOnlyIfItIsToldForHowLong) {
  const std::string head = "Store: {Driver: postgres, Host: h, Port: 1, User: u";
  Config running = load(head + "}").config;
  constexpr auto never = std::chrono::seconds::max();
  EXPECT_EQ(retention(running.store).finished_expire, never);
  EXPECT_EQ(retention(load("").config.store).finished_expire, std::chrono::hours(24));
  const Config told = load(head + ", FinishedDataExpire: 86400}").config;
  EXPECT_THAT(take_over(told, running), IsEmpty());
  EXPECT_EQ(retention(running.store).finished_expire, std::chrono::hours(24));
  EXPECT_TRUE(load(print_config(running)).config.store.finished_data_expire_is_set);
  EXPECT_THAT(take_over(load(head + ", FailedDataExpire: 9}").config, running), IsEmpty());
  EXPECT_EQ(retention(running.store).finished_expire, never);
  EXPECT_FALSE(load(print_config(running)).config.store.finished_data_expire_is_set);
}

TEST(Config, KeysOfAServerReachTheStore) {
  const auto loaded = load(
      "Store: {Driver: postgres, Host: h, Port: 5432, User: u, Password: p, Db: d, Schema: s,\n"
      "  MaxOpenConns: 0, MaxIdleConns: -1, ConnMaxLifeTime: 7, TlsMode: require, Lease: 20,\n"
      "  RedisPrefix: '{b}', RedisSentinelMaster: m, RedisWaitReplicas: 2, RedisWaitOnDisk: 1,\n"
      "  DataExpire: 60}\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  const persist::StoreSettings settings = store_settings(loaded.config);
  const persist::DatabaseSettings& database = settings.database;
  EXPECT_EQ(database.host + " " + database.user + " " + database.password, "h u p");
  EXPECT_EQ(database.port, 5432);
  EXPECT_EQ(database.database + " " + database.schema, "d s");
  EXPECT_EQ(database.connections_max, SIZE_MAX);
  EXPECT_EQ(database.idle_connections_max, 0U);
  EXPECT_EQ(database.connection_life_max, std::chrono::minutes(7));
  EXPECT_EQ(database.tls_mode, "require");
  EXPECT_EQ(database.lease, std::chrono::seconds(20));
  EXPECT_EQ(settings.redis.prefix + settings.redis.sentinel_master, "{b}m");
  EXPECT_EQ(settings.redis.wait_replicas, 2);
  EXPECT_TRUE(settings.redis.wait_on_disk);
  EXPECT_EQ(settings.redis.data_expire, std::chrono::seconds(60));
}

TEST(Config, AdminBasePathIsWrittenInManyWays) {
  const std::pair<const char*, const char*> spellings[] = {{"/dtm", "/dtm"},
                                                           {"dtm", "/dtm"},
                                                           {"/dtm/", "/dtm"},
                                                           {"//dtm//", "/dtm"},
                                                           {"/", ""},
                                                           {"''", ""},
                                                           {"a/b", "/a/b"},
                                                           {"/a/./b", "/a/b"},
                                                           {".", ""},
                                                           {"/a/../dtm", "/dtm"},
                                                           {"/../../dtm", "/dtm"},
                                                           {"/livezone", "/livezone"},
                                                           {"/api", "/api"},
                                                           {"/.dtm", "/.dtm"}};
  for (const auto& [written, path] : spellings) {
    const auto loaded = load(std::string("AdminBasePath: ") + written);
    EXPECT_EQ(loaded.config.admin_base_path, path) << written;
    EXPECT_THAT(loaded.findings.errors, IsEmpty()) << written;
  }
}

TEST(Config, NumbersOfTheFileAreYamlsNumbers) {
  const auto loaded = load(
      "RequestTimeout: 3.0\nTimeoutToFail: 1_000\nHttpPort: 0x8fb5\nTransCronInterval: -1\n"
      "RetryInterval: 1.2e1\nMaxBodyBytes: 1e6\nGrpcPort: !!int '0x10'\nJsonRpcPort: '017'\n"
      "Log: {RotationEnable: 2}\nTimeZoneOffset: 08\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.notices, IsEmpty());
  const Config& config = loaded.config;
  EXPECT_EQ(config.coordinator.request_timeout, std::chrono::seconds(3));
  EXPECT_EQ(config.coordinator.timeout_to_fail, std::chrono::seconds(1000));
  EXPECT_EQ(config.coordinator.retry_interval, std::chrono::seconds(12));
  EXPECT_EQ(config.trans_cron_interval, std::chrono::seconds(-1));
  EXPECT_EQ(config.limits.body_bytes_max, 1'000'000U);
  EXPECT_EQ(config.http_port, 36789);
  EXPECT_EQ(config.grpc_port, 16);
  EXPECT_EQ(config.json_rpc_port, 17);  // In quotes it is text, which has decimal digits.
  EXPECT_TRUE(config.log.rotation_enabled);
  EXPECT_EQ(config.time_zone_offset, "08");
}

TEST(Config, AFractionIsCutOffAsInTheReferenceAndSaysSo) {
  const auto loaded = load("RequestTimeout: 3.5");
  EXPECT_EQ(loaded.config.coordinator.request_timeout, std::chrono::seconds(3));
  EXPECT_THAT(loaded.findings.notices, ElementsAre(HasSubstr("RequestTimeout: 3.5 is taken as 3")));
}

TEST(Config, ARefusedNumberIsShownAsItWasWritten) {
  EXPECT_THAT(load("HttpPort: 0x1_ffff").findings.errors,
              ElementsAre(AllOf(HasSubstr("HttpPort: expected an integer from 0 to 65535"),
                                HasSubstr("found '131071', written as 0x1_ffff"))));
}

TEST(Config, LevelsAreThoseOfTheReference) {
  using enum LogLevel;
  const std::pair<const char*, LogLevel> names[] = {
      {"DEBUG", debug}, {"Info", info},   {"''", info},     {"iNFO", info},   {"Warn", warn},
      {"ERROR", error}, {"fatal", error}, {"Panic", error}, {"DPANIC", error}};
  for (const auto& [name, level] : names) {
    const auto loaded = load(std::string("LogLevel: ") + name);
    EXPECT_THAT(loaded.findings.errors, IsEmpty()) << name;
    EXPECT_EQ(loaded.config.log.level, level) << name;
  }
  EXPECT_THAT(load("LogLevel: warning").findings.errors, ElementsAre(HasSubstr("'warning'")));
}

TEST(Config, KeysOfAnchorsAreMergedBehindAMapsOwn) {
  const auto loaded = load(
      "Store: &base {Path: /a, Db: x}\n"
      "MicroService: {<<: {EndPoint: 'h:1'}, Driver: default}\n"
      "<<: [{HttpPort: 1, GrpcPort: 2}, {HttpPort: 3, JsonRpcPort: 4}]\n"
      "GrpcPort: 5\n"
      "HttpMicroService: *base\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_EQ(loaded.config.micro_service.end_point, "h:1");
  EXPECT_EQ(loaded.config.http_port, 1);
  EXPECT_EQ(loaded.config.grpc_port, 5);
  EXPECT_EQ(loaded.config.json_rpc_port, 4);
  EXPECT_THAT(loaded.findings.unknown_keys,
              ElementsAre(HasSubstr("HttpMicroService.Path"), HasSubstr("HttpMicroService.Db")));
}

TEST(Config, OddFilesOfTheReferenceAreRead) {
  EXPECT_EQ(load("HttpPort: 1\n---\nHttpPort: 2\n").config.http_port, 1);
  EXPECT_EQ(load("\xef\xbb\xbfHttpPort: 1\r\nGrpcPort: 2\r\n").config.http_port, 1);
  EXPECT_EQ(load("AlertWebHook: !!binary aHR0cDovL2g=").config.alert_web_hook, "http://h");
}

TEST(Config, SummaryHasWhatDiffersFromTheDefaults) {
  EXPECT_EQ(summarize(load("HttpPort: 1\nStore: {Path: /data}").config),
            "Store.Path=/data, HttpPort=1");
  EXPECT_EQ(summarize(Config{}), "all keys have their defaults");
}

}  // namespace
}  // namespace concerto::tools
