// Every key of the configuration with values that it cannot have: each gets one error, which names
// the key and the value.
#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config.hpp"
#include "config_keys.hpp"

namespace concerto::tools {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

LoadedConfig loaded(const std::string& yaml) {
  return load_config(yaml, [](const std::string&) { return std::nullopt; });
}

/// A file with one key.
std::string file_with(std::string_view path, const std::string& value) {
  const auto dot = path.find('.');
  if (dot == path.npos) return std::string(path) + ": " + value;
  return std::string(path.substr(0, dot)) + ": {" + std::string(path.substr(dot + 1)) + ": " +
         value + "}";
}

bool is_text(const KeyRow& row) {
  return std::holds_alternative<std::string& (*)(Config&)>(row.field);
}

/// Values, as in a file, that a key of this type cannot have.
std::vector<std::string> wrong_values(const KeyRow& row) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> values{"abc", "1x"};
  if (std::holds_alternative<LogLevel& (*)(Config&)>(row.field)) return values;
  values.insert(values.end(), {"", "99999999999999999999", ".inf", "12:30"});
  if (!is_number_of_reference(row.path)) values.emplace_back("5.9");
  if (std::holds_alternative<bool& (*)(Config&)>(row.field)) {
    values.emplace_back("yes");
    if (!is_number_of_reference(row.path)) values.insert(values.end(), {"2", "-1"});
    return values;
  }
  if (row.range.min != least) values.push_back(std::to_string(row.range.min - 1));
  if (row.range.max != most) values.push_back(std::to_string(row.range.max + 1));
  if (row.in_bytes) values.insert(values.end(), {"4MB", "-1 KiB", "9999999999 GiB"});
  return values;
}

TEST(EveryKey, RefusesWhatIsNoValueOfItsType) {
  for (const KeyRow& row : KeyTable::standard().rows()) {
    const std::string path(row.path);
    EXPECT_THAT(loaded(file_with(path, "[1]")).findings.errors,
                ElementsAre(StartsWith(path + ": expected one value")));
    EXPECT_THAT(loaded(file_with(path, "{a: 1}")).findings.errors,
                ElementsAre(StartsWith(path + ": expected one value")));
    if (is_text(row)) continue;
    for (const std::string& value : wrong_values(row)) {
      const std::string yaml = file_with(path, value.empty() ? "''" : value);
      EXPECT_THAT(
          loaded(yaml).findings.errors,
          ElementsAre(AllOf(StartsWith(path + ": expected"), HasSubstr("found '" + value + "'"))))
          << yaml;
    }
  }
}

TEST(EveryKey, TakesTheEndsOfItsRange) {
  for (const KeyRow& row : KeyTable::standard().rows()) {
    if (is_text(row) || row.path == "TimeoutToFail" || row.path == "RetryInterval") continue;
    const bool is_level = std::holds_alternative<LogLevel& (*)(Config&)>(row.field);
    if (is_level || row.range.min == KeyRange::any().min) continue;
    const std::string least = std::to_string(row.range.min);
    EXPECT_THAT(loaded(file_with(row.path, least)).findings.errors, IsEmpty()) << row.path;
  }
}

/// A key of text, or one whose values depend on the store. `{}` in the error stands for the value.
struct ValueCase {
  const char* key;
  const char* others;  ///< keys of the same section
  const char* value;
  const char* error;
};

constexpr const char* postgres = "Driver: postgres, Host: h, Port: 5432, User: u";
constexpr const char* mysql = "Driver: mysql, Host: h, Port: 3306, User: u";
constexpr const char* redis = "Driver: redis, Host: h, Port: 6379";
constexpr const char* user_of_postgres = "Driver: postgres, Port: 5432, User: u";
constexpr const char* user_of_mysql = "Driver: mysql, Port: 3306, User: u";
constexpr const char* port_of_redis = "Driver: redis, Port: 6379";
constexpr const char* gozero = "Driver: dtm-driver-gozero";

const ValueCase refused[] = {
    {"Store.Driver", "", "", "Store.Driver: expected leveldb, mysql"},
    {"Store.Driver", "", "Redis", "found '{}'"},
    {"Store.Path", "", "", "Store.Path is empty"},
    {"Store.Path", "", "/etc/passwd", "Store.Path: expected a directory, found the file '{}'"},
    {"Store.Host", user_of_postgres, "", "Store.Host is empty: Db host not valid"},
    {"Store.Host", user_of_postgres, " ", "Store.Host is empty"},
    {"Store.Host", user_of_postgres, "a b", "Store.Host: expected the name or address of a host"},
    {"Store.Host", user_of_postgres, "a,,b", "Store.Host: expected a host, or several"},
    {"Store.Host", user_of_postgres, "a,", "found '{}'"},
    {"Store.Host", user_of_postgres, "a:5432", "without a port, found '{}'"},
    {"Store.Host", user_of_mysql, "a,b c", "found 'b c' in '{}'"},
    {"Store.Host", user_of_mysql, "mysql://a", "found '{}'"},
    {"Store.Host", port_of_redis, "", "Store.Host is empty: Redis host not valid"},
    {"Store.Host", port_of_redis, "a b", "Store.Host: '{}' does not name a server"},
    {"Store.Host", port_of_redis, "a,,b", "Store.Host: '' does not name a server"},
    {"Store.Host", port_of_redis, "a:70000", "Store.Host: '{}' does not name a server"},
    {"Store.Port", "Driver: postgres, Host: h, User: u", "0", "Store.Port is 0 or missing"},
    {"Store.Port", "Driver: mysql, Host: h, User: u", "-1", "Store.Port: expected a port"},
    {"Store.Port", "Driver: redis, Host: h", "70000", "Store.Port: expected a port"},
    {"Store.Port", "Driver: redis, Host: 'h:1'", "65536", "found '{}'"},
    {"Store.User", "Driver: mysql, Host: h, Port: 1", "", "Store.User is empty"},
    {"Store.Db", postgres, "", "Store.Db is empty"},
    {"Store.Db", mysql, " ", "Store.Db is empty"},
    {"Store.PasswordFile", "", "/no", "Store.PasswordFile: the file '{}' cannot be read"},
    {"Store.PasswordFile", "Password: p", "/no", "Store.Password is set too"},
    {"Store.Schema", postgres, "", "Store.Schema is empty: Postgres schema not valid"},
    {"Store.TlsMode", postgres, "on", "Store.TlsMode: expected disable, prefer"},
    {"Store.TlsMode", mysql, "", "found '{}'"},
    {"Store.TlsMode", redis, "prefer", "Store.TlsMode: expected disable, require"},
    {"Store.TlsMode", redis, "", "found '{}'"},
    {"Store.TlsCaFile", postgres, "/no", "Store.TlsCaFile: the file '{}' cannot be read"},
    {"Store.TlsCaFile", redis, "/no", "Store.TlsCaFile: the file '{}' cannot be read"},
    {"Store.TlsCaFile", mysql, "/tmp", "Store.TlsCaFile: the file '{}' cannot be read"},
    {"Store.TlsCertFile", mysql, "/no", "Store.TlsCertFile: the file '{}' cannot be read"},
    {"Store.TlsCertFile", redis, "/etc/passwd", "Store.TlsKeyFile is missing"},
    {"Store.TlsKeyFile", postgres, "/no", "Store.TlsKeyFile: the file '{}' cannot be read"},
    {"Store.TlsKeyFile", postgres, "/etc/passwd", "Store.TlsCertFile is missing"},
    {"Store.Lease", "", "4", "Store.Lease should not be less than 5: it is {}"},
    {"Store.DataExpire", redis, "0", "Store.DataExpire: expected a number of seconds from 1 on"},
    {"Store.DataExpire", redis, "-5", "found '{}'"},
    {"Store.RedisPrefix", "Driver: redis, Host: 'a:1,b:2'", "x", "Store.RedisPrefix '{}' has no"},
    {"TimeoutToFail", "", "9", "TimeoutToFail should not be less than RetryInterval: it is {}"},
    {"RetryInterval", "", "0", "RetryInterval should not be less than 1: it is {}"},
    {"ListenAddress", "", "eth0", "ListenAddress: expected an IP address"},
    {"ListenAddress", "", " ", "found '{}'"},
    {"MicroService.Driver", "", "", "MicroService.Driver: no dtm driver with name: "},
    {"MicroService.Target", gozero, "h/d", "MicroService.Target '{}': no scheme"},
    {"MicroService.TargetFile", "", "/tmp", "the file '{}' cannot be read"},
    {"MicroService.EndPoint", "Driver: dtm-driver-gozero, Target: 'etcd://h:1/d'", "",
     "MicroService.EndPoint '': the address to publish"},
    {"Log.Outputs", "", "", "Log.Outputs names no output"},
    {"Log.RotationConfigJSON", "RotationEnable: 1", "{x",
     "Log.RotationConfigJSON: expected a JSON object, found '{}'"},
    {"Audit.File", "", "/etc", "Audit.File: expected a file, found the directory '{}'"},
    {"Backup.Directory", "", "", "Backup.Directory is empty"},
    {"Backup.Directory", "", "concerto-data/backups", "outside Store.Path, found '{}'"},
    {"TimeZoneOffset", "", "8.5", "TimeZoneOffset: expected hours from -12 to 14, found '{}'"},
    {"TimeZoneOffset", "", "-13", "found '{}'"},
    {"AlertWebHook", "", "nope", "AlertWebHook: expected an http or https URL, found '{}'"},
    {"AlertWebHook", "", "http://h:70000/", "found '{}'"},
    {"AlertWebHookFile", "", "/no", "AlertWebHookFile: the file '{}' cannot be read"},
    {"AdminBasePath", "", "/a b", "AdminBasePath: expected a path such as /dtm, found '{}'"},
    {"AdminBasePath", "", "http://h/dtm", "found '{}'"},
    {"AllowedHosts", "", "http://x/", "AllowedHosts: expected names without scheme"},
    {"TargetAllow", "", "http://x/", "TargetAllow: expected rules such as b.org"},
    {"TargetAllow", "", "b.org,*:0", "found '*:0'"},
    {"TargetDeny", "", "10.0.0.0/33", "TargetDeny: expected rules such as b.org"},
    {"AlertWebHook", "", "http://2852039166/",
     "AlertWebHook: target http://2852039166:80 is refused: TargetDeny has"},
    {"Tls.CertFile", "", "/no", "only Tls.CertFile is set"},
    {"Tls.KeyFile", "", "/no", "only Tls.KeyFile is set"},
    {"Tls.ClientAuth", "", "maybe", "found '{}'"},
    {"Tls.ClientCaFile", "", "/no", "Tls.ClientCaFile is set, but Tls.ClientAuth is none"},
    {"Tls.ClientCrlFile", "", "/no", "Tls.ClientCrlFile is set, but Tls.ClientAuth is none"},
    {"BranchTls.CaFile", "", "/no", "cannot load certificates from '{}'"},
    {"BranchTls.CertFile", "", "/no", "only BranchTls.CertFile is set"},
    {"BranchTls.KeyFile", "", "/no", "only BranchTls.KeyFile is set"},
    {"BranchTls.GrpcTargets", "", "b.org:80", "found '{}'"},
    {"Auth.CallersFile", "", "/no", "Auth.CallersFile: the file '{}' cannot be read"},
    {"Auth.CallersFile", "", "/tmp", "Auth.CallersFile: the file '{}' cannot be read"},
    {"Auth.JwksFile", "JwtIssuer: i, JwtAudience: a", "/no",
     "Auth.JwksFile: the file '{}' cannot be read"},
    {"Auth.JwtIssuer", "JwksFile: /etc/passwd, JwtAudience: a", "", "Auth.JwtIssuer is empty"},
    {"Auth.JwtAudience", "JwksFile: /etc/passwd, JwtIssuer: i", "", "Auth.JwtAudience is empty"},
    {"Auth.Metrics", "", "clients", "Auth.Metrics: expected viewers, anyone or nobody, found '{}'"},
    {"Auth.Reflection", "", "", "found '{}'"},
    {"Proxies.Trusted", "", "lb.b.org", "Proxies.Trusted: expected addresses and ranges"},
    {"Proxies.Trusted", "", "10.0.0.1:80", "found '{}'"},
    {"Proxies.ProxyProtocol", "Trusted: 10.0.0.1", "https",
     "Proxies.ProxyProtocol: expected ports, as http,grpc,admin, found '{}'"},
    {"Proxies.ProxyProtocol", "", "http", "Proxies.Trusted is empty"},
    {"Admin.ListenAddress", "", "eth0", "Admin.ListenAddress: expected an IP address without"},
    {"Limits.Exempt", "", "10.0.0.0/33", "Limits.Exempt: expected addresses and ranges"},
    {"Trace.Endpoint", "", "otel:x", "Trace.Endpoint: expected host:port"},
    {"Trace.Endpoint", "", "http://otel/v1/traces", "found '{}'"},
    {"Trace.Sample", "", "1.5", "Trace.Sample: expected a part from 0 to 1, as 0.01, found '{}'"},
    {"Trace.Sample", "", "1%", "found '{}'"},
    {"Trace.Sample", "", "-0.1", "found '{}'"},
    {"Trace.Headers", "", "secret", "Trace.Headers: expected name=value"},
    {"Trace.ServiceName", "", "", "Trace.ServiceName is empty"},
};

std::string with_value(std::string text, const std::string& value) {
  if (const auto place = text.find("{}"); place != text.npos) text.replace(place, 2, value);
  return text;
}

TEST(EveryKey, RefusesAValueThatItCannotHave) {
  for (const ValueCase& row : refused) {
    const std::string path(row.key);
    const std::string key = path.substr(path.find('.') + 1);  // npos + 1 is 0
    std::string yaml = key + ": '" + row.value + "'";
    if (path != key) {
      const std::string others = row.others;
      yaml = path.substr(0, path.find('.')) + ": {" + others + (others.empty() ? "" : ", ") + yaml +
             "}";
    }
    EXPECT_THAT(loaded(yaml).findings.errors,
                ElementsAre(AllOf(HasSubstr(path), HasSubstr(with_value(row.error, row.value)))))
        << yaml;
  }
}

/// Keys of text for which every text has a meaning, or none is used.
constexpr std::string_view any_text[] = {"Store.Password",
                                         "Store.RedisSentinelMaster",
                                         "Auth.JwtRolesClaim",
                                         "GrpcServiceConfig",
                                         "HttpMicroService.Driver",
                                         "HttpMicroService.RegistryType",
                                         "HttpMicroService.RegistryAddress",
                                         "HttpMicroService.RegistryOptions",
                                         "HttpMicroService.Target",
                                         "HttpMicroService.EndPoint"};

TEST(EveryKey, OfTextIsChecked) {
  for (const KeyRow& row : KeyTable::standard().rows()) {
    if (!is_text(row) || std::ranges::find(any_text, row.path) != std::end(any_text)) continue;
    const bool is_checked =
        std::ranges::any_of(refused, [&row](const ValueCase& one) { return row.path == one.key; });
    EXPECT_TRUE(is_checked) << row.path << " has no row in `refused`";
  }
}

TEST(EveryKey, TakesWhatAListOfHostsMayHave) {
  for (const char* host : {"h", "a, b", "db_1.example.org", "::1", "fe80::1%eth0", "127.0.0.1",
                           "/var/run/postgresql", "a,::1"}) {
    const std::string yaml = "Store: {" + std::string(user_of_postgres) + ", Host: '" + host + "'}";
    EXPECT_THAT(loaded(yaml).findings.errors, IsEmpty()) << host;
  }
  for (const char* host : {"h", "a:1, b:2", "[::1]:1", "::1"}) {
    const std::string yaml = "Store: {" + std::string(port_of_redis) + ", Host: '" + host + "'}";
    EXPECT_THAT(loaded(yaml).findings.errors, IsEmpty()) << host;
  }
}

TEST(EveryKey, WarnsOfTextThatTheReferenceTakesAndThatDoesNothing) {
  EXPECT_THAT(loaded("MicroService: {EndPoint: 'a b'}").findings.warnings,
              ElementsAre("MicroService.EndPoint: expected host:port, found 'a b'; clients cannot "
                          "connect to it"));
  EXPECT_THAT(loaded("Log: {RotationConfigJSON: '{x'}").findings.warnings,
              ElementsAre("Log.RotationConfigJSON: expected a JSON object, found '{x'"));
  const std::string yaml = "Store: {" + std::string(redis) + ", TlsCaFile: /etc/passwd}";
  EXPECT_THAT(loaded(yaml).findings.warnings,
              ElementsAre("Store.TlsCaFile is '/etc/passwd', but TLS is not in use: Store.TlsMode "
                          "is disable"));
  EXPECT_THAT(loaded(yaml).findings.errors, IsEmpty());
}

}  // namespace
}  // namespace concerto::tools
