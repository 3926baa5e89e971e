#include "config_keys.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

/// A key: its environment variable and default according to the protocol page, a valid value that
/// differs from the default, and a text that must be refused ("": every text is valid).
struct KeyCase {
  const char* path;
  const char* env;
  const char* fallback;
  const char* valid;
  const char* invalid;
};

void PrintTo(const KeyCase& row, std::ostream* out) {
  *out << row.path;
}

const KeyCase key_cases[] = {
    {"Store.Driver", "STORE_DRIVER", "leveldb", "memory", ""},
    {"Store.Path", "STORE_PATH", "./concerto-data", "/var/lib/concerto", ""},
    {"Store.FinishedBytesMax", "STORE_FINISHED_BYTES_MAX", "10737418240", "1048576", "10 GB"},
    {"Store.FreeBytesMin", "STORE_FREE_BYTES_MIN", "268435456", "1048576", "many"},
    {"Store.Host", "STORE_HOST", "", "db", ""},
    {"Store.Port", "STORE_PORT", "0", "-1", "any"},
    {"Store.User", "STORE_USER", "", "dtm", ""},
    {"Store.Password", "STORE_PASSWORD", "", "pass: #'\"", ""},
    {"Store.PasswordFile", "STORE_PASSWORD_FILE", "", "/etc/hostname", ""},
    {"Store.Db", "STORE_DB", "dtm", "other", ""},
    {"Store.Schema", "STORE_SCHEMA", "public", "other", ""},
    {"Store.MaxOpenConns", "STORE_MAX_OPEN_CONNS", "500", "7", "many"},
    {"Store.MaxIdleConns", "STORE_MAX_IDLE_CONNS", "500", "-1", "x"},
    {"Store.ConnMaxLifeTime", "STORE_CONN_MAX_LIFE_TIME", "5", "7", "5m"},
    {"Store.TlsMode", "STORE_TLS_MODE", "disable", "verify-full", ""},
    {"Store.TlsCaFile", "STORE_TLS_CA_FILE", "", "/etc/ca.pem", ""},
    {"Store.TlsCertFile", "STORE_TLS_CERT_FILE", "", "/etc/own.pem", ""},
    {"Store.TlsKeyFile", "STORE_TLS_KEY_FILE", "", "/etc/own.key", ""},
    {"Store.Lease", "STORE_LEASE", "0", "30", "-1"},
    {"Store.DataExpire", "STORE_DATA_EXPIRE", "604800", "60", "1.5"},
    {"Store.FinishedDataExpire", "STORE_FINISHED_DATA_EXPIRE", "86400", "60", "x"},
    {"Store.FailedDataExpire", "STORE_FAILED_DATA_EXPIRE", "0", "60", "x"},
    {"Store.RedisPrefix", "STORE_REDIS_PREFIX", "{a}", "{b}", ""},
    {"Store.RedisSentinelMaster", "STORE_REDIS_SENTINEL_MASTER", "", "mymaster", ""},
    {"Store.RedisWaitReplicas", "STORE_REDIS_WAIT_REPLICAS", "0", "2", "-1"},
    {"Store.RedisWaitOnDisk", "STORE_REDIS_WAIT_ON_DISK", "0", "1", "maybe"},
    {"TransCronInterval", "TRANS_CRON_INTERVAL", "3", "-1", "x"},
    {"TimeoutToFail", "TIMEOUT_TO_FAIL", "35", "60", "35s"},
    {"RetryInterval", "RETRY_INTERVAL", "10", "1", "1e3"},
    {"RequestTimeout", "REQUEST_TIMEOUT", "3", "0", "-1"},
    {"BackoffMax", "BACKOFF_MAX", "3600", "60", "0"},
    {"HttpPort", "HTTP_PORT", "36789", "0", "99999"},
    {"GrpcPort", "GRPC_PORT", "36790", "1", "0x10"},
    {"JsonRpcPort", "JSON_RPC_PORT", "36791", "-1", "+-1"},
    {"ListenAddress", "LISTEN_ADDRESS", "", "127.0.0.1", ""},
    {"Shards", "SHARDS", "0", "2", "1025"},
    {"MicroService.Driver", "MICRO_SERVICE_DRIVER", "default", "dtm-driver-gozero", ""},
    {"MicroService.Target", "MICRO_SERVICE_TARGET", "", "etcd://localhost:2379/dtmservice", ""},
    {"MicroService.TargetFile", "MICRO_SERVICE_TARGET_FILE", "", "/etc/os-release", ""},
    {"MicroService.EndPoint", "MICRO_SERVICE_END_POINT", "", "localhost:36790", ""},
    {"HttpMicroService.Driver", "HTTP_MICRO_SERVICE_DRIVER", "default", "x", ""},
    {"HttpMicroService.RegistryType", "HTTP_MICRO_SERVICE_REGISTRY_TYPE", "", "nacos", ""},
    {"HttpMicroService.RegistryAddress", "HTTP_MICRO_SERVICE_REGISTRY_ADDRESS", "", "h:1", ""},
    {"HttpMicroService.RegistryOptions", "HTTP_MICRO_SERVICE_REGISTRY_OPTIONS", "{}", "{\"a\":1}",
     ""},
    {"HttpMicroService.Target", "HTTP_MICRO_SERVICE_TARGET", "", "x", ""},
    {"HttpMicroService.EndPoint", "HTTP_MICRO_SERVICE_END_POINT", "", "x", ""},
    {"UpdateBranchSync", "UPDATE_BRANCH_SYNC", "1", "2", "yes"},
    {"UpdateBranchAsyncGoroutineNum", "UPDATE_BRANCH_ASYNC_GOROUTINE_NUM", "1", "0", "x"},
    {"LogLevel", "LOG_LEVEL", "info", "debug", "loud"},
    {"Log.Outputs", "LOG_OUTPUTS", "stderr", "stdout,concerto.log", ""},
    {"Log.RotationEnable", "LOG_ROTATION_ENABLE", "0", "1", "yes"},
    {"Log.RotationConfigJSON", "LOG_ROTATION_CONFIG_JSON", "{}", "{\"maxsize\": 1}", ""},
    {"Audit.File", "AUDIT_FILE", "", "/var/log/concerto/audit.log", ""},
    {"Audit.Required", "AUDIT_REQUIRED", "1", "0", "maybe"},
    {"Audit.FileBytesMax", "AUDIT_FILE_BYTES_MAX", "104857600", "65536", "0"},
    {"Audit.FilesMax", "AUDIT_FILES_MAX", "0", "10", "-1"},
    {"Audit.AgeMax", "AUDIT_AGE_MAX", "0", "400", "x"},
    {"Backup.Directory", "BACKUP_DIRECTORY", "", "/var/backups/concerto", ""},
    {"TimeZoneOffset", "TIME_ZONE_OFFSET", "", "+8", ""},
    {"ConfigUpdateInterval", "CONFIG_UPDATE_INTERVAL", "3", "-1", "x"},
    {"AlertRetryLimit", "ALERT_RETRY_LIMIT", "3", "-1", "x"},
    {"AlertWebHook", "ALERT_WEB_HOOK", "", "http://alerts/hook", ""},
    {"AlertWebHookFile", "ALERT_WEB_HOOK_FILE", "", "/etc/os-release", ""},
    {"AdminBasePath", "ADMIN_BASE_PATH", "", "/dtm", ""},
    {"AllowedHosts", "ALLOWED_HOSTS", "", "dtm.b.org, .c.org", ""},
    {"GetMayChange", "GET_MAY_CHANGE", "1", "0", "maybe"},
    {"RedirectHeaders", "REDIRECT_HEADERS", "0", "1", "maybe"},
    {"TargetAllow", "TARGET_ALLOW", "", ".b.org, 10.0.0.0/8", ""},
    {"TargetDeny", "TARGET_DENY", "metadata, link-local, multicast, broadcast, unspecified",
     "link-local", ""},
    {"GrpcServiceConfig", "GRPC_SERVICE_CONFIG",
     "{\"loadBalancingConfig\": [{\"round_robin\":{}}]}", "{}", ""},
    {"GrpcKeepaliveInterval", "GRPC_KEEPALIVE_INTERVAL", "300", "30", "0"},
    {"GrpcKeepaliveTimeout", "GRPC_KEEPALIVE_TIMEOUT", "20", "5", "0"},
    {"MaxInFlight", "MAX_IN_FLIGHT", "200000", "1", "0"},
    {"MaxInFlightBytes", "MAX_IN_FLIGHT_BYTES", "1073741824", "4096", "0"},
    {"MaxWakesInProgress", "MAX_WAKES_IN_PROGRESS", "1000", "1", "0"},
    {"MaxWakesPerTarget", "MAX_WAKES_PER_TARGET", "250", "1", "0"},
    {"MaxJournal", "MAX_JOURNAL", "10000", "0", "-1"},
    {"ProgressDelay", "PROGRESS_DELAY", "20", "0", "20ms"},
    {"MaxBodyBytes", "MAX_BODY_BYTES", "4194304", "65536", "-4"},
    {"MaxResponseBytes", "MAX_RESPONSE_BYTES", "4194304", "65536", "x"},
    {"MaxConnections", "MAX_CONNECTIONS", "20000", "10", "0"},
    {"MaxStreams", "MAX_STREAMS", "1000", "10", "0"},
    {"MaxBufferedBytes", "MAX_BUFFERED_BYTES", "134217728", "65536", "0"},
    {"ReadTimeout", "READ_TIMEOUT", "10", "1", "0"},
    {"IdleTimeout", "IDLE_TIMEOUT", "300", "1", "0"},
    {"HttpWaitMax", "HTTP_WAIT_MAX", "0", "30", "-1"},
    {"ShutdownDelay", "SHUTDOWN_DELAY", "3", "0", "3601"},
    {"ShutdownGrace", "SHUTDOWN_GRACE", "10", "0", "-1"},
    {"CoreDumps", "CORE_DUMPS", "0", "1", "maybe"},
    {"Tls.CertFile", "TLS_CERT_FILE", "", "/etc/tls.pem", ""},
    {"Tls.KeyFile", "TLS_KEY_FILE", "", "/etc/tls.key", ""},
    {"Tls.ClientAuth", "TLS_CLIENT_AUTH", "none", "required", ""},
    {"Tls.ClientCaFile", "TLS_CLIENT_CA_FILE", "", "/etc/ca.pem", ""},
    {"Tls.ClientCrlFile", "TLS_CLIENT_CRL_FILE", "", "/etc/crl.pem", ""},
    {"BranchTls.CaFile", "BRANCH_TLS_CA_FILE", "", "/etc/ca.pem", ""},
    {"BranchTls.CertFile", "BRANCH_TLS_CERT_FILE", "", "/etc/own.pem", ""},
    {"BranchTls.KeyFile", "BRANCH_TLS_KEY_FILE", "", "/etc/own.key", ""},
    {"BranchTls.GrpcTargets", "BRANCH_TLS_GRPC_TARGETS", "", "pay.b.org", ""},
    {"Auth.CallersFile", "AUTH_CALLERS_FILE", "", "/etc/passwd", ""},
    {"Auth.JwksFile", "AUTH_JWKS_FILE", "", "/etc/passwd", ""},
    {"Auth.JwtIssuer", "AUTH_JWT_ISSUER", "", "https://issuer", ""},
    {"Auth.JwtAudience", "AUTH_JWT_AUDIENCE", "", "concerto", ""},
    {"Auth.JwtRolesClaim", "AUTH_JWT_ROLES_CLAIM", "roles", "realm_access.roles", ""},
    {"Auth.JwtClockSkew", "AUTH_JWT_CLOCK_SKEW", "60", "0", "601"},
    {"Auth.Metrics", "AUTH_METRICS", "viewers", "nobody", ""},
    {"Auth.Reflection", "AUTH_REFLECTION", "viewers", "anyone", ""},
    {"Proxies.Trusted", "PROXIES_TRUSTED", "", "10.0.0.1", ""},
    {"Proxies.ProxyProtocol", "PROXIES_PROXY_PROTOCOL", "", "grpc", ""},
    {"Admin.Port", "ADMIN_PORT", "0", "36792", "65536"},
    {"Admin.ListenAddress", "ADMIN_LISTEN_ADDRESS", "", "localhost", ""},
    {"Admin.Console", "ADMIN_CONSOLE", "1", "0", "maybe"},
    {"Limits.RequestsPerSecond", "LIMITS_REQUESTS_PER_SECOND", "0", "100", "-1"},
    {"Limits.Burst", "LIMITS_BURST", "0", "200", "1.5"},
    {"Limits.BytesPerSecond", "LIMITS_BYTES_PER_SECOND", "0", "1048576", "many"},
    {"Limits.Connections", "LIMITS_CONNECTIONS", "0", "50", "1000000001"},
    {"Limits.Exempt", "LIMITS_EXEMPT", "", "127.0.0.1", ""},
    {"Trace.Endpoint", "TRACE_ENDPOINT", "", "otel:4317", ""},
    {"Trace.Sample", "TRACE_SAMPLE", "0", "0.25", ""},
    {"Trace.Headers", "TRACE_HEADERS", "", "x-tenant=7", ""},
    {"Trace.ServiceName", "TRACE_SERVICE_NAME", "concerto", "payments", ""},
    {"Trace.Propagate", "TRACE_PROPAGATE", "1", "0", "maybe"},
};

using Variables = std::map<std::string, std::string>;

Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::string yaml_of(const std::string& path, const std::string& value) {
  const auto dot = path.find('.');
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
  quoted += "'";
  if (dot == std::string::npos) return path + ": " + quoted + "\n";
  return path.substr(0, dot) + ":\n  " + path.substr(dot + 1) + ": " + quoted + "\n";
}

class ConfigKey : public testing::TestWithParam<KeyCase> {
 protected:
  std::string value_in(const LoadedConfig& loaded) const {
    return key_text(loaded.config, *KeyTable::standard().find(GetParam().path));
  }
  /// Errors of this key alone; a value may need another key to make a valid whole.
  static std::string errors_of(const LoadedConfig& loaded, const std::string& path) {
    std::string text;
    for (const std::string& error : loaded.findings.errors) {
      if (error.find(path) == 0) text += error;
    }
    return text;
  }
};

TEST_P(ConfigKey, HasThePagesDefaultAndVariable) {
  EXPECT_EQ(value_in(load_config("", environment_of({}))), GetParam().fallback);
  EXPECT_EQ(env_name(GetParam().path), GetParam().env);
}

TEST_P(ConfigKey, IsReadFromTheEnvironment) {
  const auto loaded = load_config("", environment_of({{GetParam().env, GetParam().valid}}));
  EXPECT_EQ(value_in(loaded), GetParam().valid);
  EXPECT_EQ(errors_of(loaded, GetParam().path), "");
}

TEST_P(ConfigKey, TakesAnEmptyVariableAsNotSet) {
  const auto loaded = load_config("", environment_of({{GetParam().env, ""}}));
  EXPECT_EQ(value_in(loaded), GetParam().fallback);
  EXPECT_THAT(loaded.findings.errors, testing::IsEmpty());
}

TEST_P(ConfigKey, IsReadFromQuotedYaml) {
  const auto loaded = load_config(yaml_of(GetParam().path, GetParam().valid), environment_of({}));
  EXPECT_EQ(value_in(loaded), GetParam().valid);
  EXPECT_EQ(errors_of(loaded, GetParam().path), "");
  EXPECT_THAT(loaded.findings.unknown_keys, testing::IsEmpty());
}

TEST_P(ConfigKey, FollowsYamlAgainstTheEnvironment) {
  const auto loaded = load_config(yaml_of(GetParam().path, GetParam().fallback),
                                  environment_of({{GetParam().env, GetParam().valid}}));
  EXPECT_EQ(value_in(loaded), GetParam().fallback);
}

TEST_P(ConfigKey, KeepsTheEnvironmentWhenYamlHasNoValue) {
  const std::string yaml = yaml_of(GetParam().path, "");
  const auto loaded = load_config(yaml.substr(0, yaml.size() - 3) + "\n",
                                  environment_of({{GetParam().env, GetParam().valid}}));
  EXPECT_EQ(value_in(loaded), GetParam().valid);
}

TEST_P(ConfigKey, NamesItselfAndTheValueWhenRefused) {
  const KeyCase& row = GetParam();
  if (*row.invalid == '\0') return;  // Any text is a value; meaning is checked elsewhere.
  using testing::AllOf, testing::HasSubstr, testing::StartsWith, testing::Contains;
  const auto names_it = AllOf(StartsWith(std::string{row.path} + ": expected "),
                              HasSubstr("found '" + std::string{row.invalid} + "'"));
  const auto from_yaml = load_config(yaml_of(row.path, row.invalid), environment_of({}));
  EXPECT_THAT(from_yaml.findings.errors, Contains(names_it));
  EXPECT_EQ(value_in(from_yaml), row.fallback);
  const auto from_env = load_config("", environment_of({{row.env, row.invalid}}));
  EXPECT_THAT(from_env.findings.errors, Contains(AllOf(names_it, HasSubstr(row.env))));
}

INSTANTIATE_TEST_SUITE_P(All, ConfigKey, testing::ValuesIn(key_cases),
                         [](const auto& row) { return std::string{row.param.env}; });

TEST(ConfigKeys, EveryKeyIsInTheTableOfThisTest) {
  std::set<std::string_view> tested, known;
  for (const KeyCase& row : key_cases) tested.insert(row.path);
  for (const KeyRow& row : KeyTable::standard().rows()) known.insert(row.path);
  EXPECT_EQ(tested, known);
  EXPECT_EQ(known.size(), KeyTable::standard().rows().size());
}

TEST(ConfigKeys, ByteCountsTakeUnits) {
  const KeyRow& row = *KeyTable::standard().find("MaxBodyBytes");
  Config config;
  EXPECT_TRUE(set_key(config, row, "8 MiB"));
  EXPECT_EQ(config.limits.body_bytes_max, std::size_t{8} << 20);
  EXPECT_TRUE(set_key(config, row, "2GiB"));
  EXPECT_EQ(config.limits.body_bytes_max, std::size_t{2} << 30);
  EXPECT_FALSE(set_key(config, row, "9999999999999 GiB"));
  EXPECT_FALSE(set_key(config, row, "GiB"));
}

TEST(ConfigKeys, NearestKeyForgivesCaseAndTypos) {
  EXPECT_EQ(KeyTable::standard().nearest("Store.Pasword"), "Store.Password");
  EXPECT_EQ(KeyTable::standard().nearest("httpport"), "HttpPort");
  EXPECT_EQ(KeyTable::standard().nearest("MicroService.Endpoint"), "MicroService.EndPoint");
  EXPECT_EQ(KeyTable::standard().nearest("RetryIntervall"), "RetryInterval");
  EXPECT_EQ(KeyTable::standard().nearest("Store.KvTable"), "");
  EXPECT_EQ(KeyTable::standard().nearest("x"), "");
}

TEST(ConfigKeys, NearestKeyMayBeASection) {
  EXPECT_EQ(KeyTable::standard().nearest("store"), "Store");
  EXPECT_EQ(KeyTable::standard().nearest("Microservise"), "MicroService");
}

TEST(ConfigKeys, NearestKeyMayBelongToAnotherSection) {
  EXPECT_EQ(KeyTable::standard().nearest("Path"), "Store.Path");
  EXPECT_EQ(KeyTable::standard().nearest("Store.httpPort"), "HttpPort");
}

}  // namespace
}  // namespace concerto::tools
