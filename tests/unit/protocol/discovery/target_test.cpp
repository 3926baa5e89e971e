#include <gtest/gtest.h>

#include <concerto/protocol/target_scheme.hpp>

namespace concerto::net {
namespace {

Result<Target> parse_target(std::string_view text) {
  return TargetSchemes::standard().parse(text);
}

std::string describe(const std::vector<HostPort>& hosts) {
  std::string text;
  for (const auto& [host, port] : hosts) {
    if (!text.empty()) text += ' ';
    text += host + '|' + std::to_string(port);
  }
  return text;
}

struct TargetCase {
  const char* name;
  const char* target;
  const char* hosts;  ///< `host|port host|port`
  const char* key;
  const char* authority;
};

class TargetTable : public testing::TestWithParam<TargetCase> {};

TEST_P(TargetTable, SaysWhereToConnect) {
  const auto& row = GetParam();
  const auto target = parse_target(row.target);
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(describe(target->hosts), row.hosts);
  EXPECT_EQ(target->key, row.key);
  EXPECT_EQ(target->authority, row.authority);
}

constexpr TargetCase target_cases[] = {
    {"Plain", "localhost:50589", "localhost|50589", "", "localhost:50589"},
    {"Ipv4", "10.0.0.1:80", "10.0.0.1|80", "", "10.0.0.1:80"},
    {"Ipv6", "[::1]:9000", "::1|9000", "", "[::1]:9000"},
    {"Passthrough", "passthrough:///h:1", "h|1", "", "h:1"},
    {"Dns", "dns:///stock:9001", "stock|9001", "", "stock:9001"},
    {"DnsWithoutPort", "dns:///stock", "stock|443", "", "stock"},
    {"EmptyHostIsThisMachine", ":9001", "127.0.0.1|9001", "", "localhost:9001"},
    {"PassthroughEmptyHost", "passthrough:///:9001", "127.0.0.1|9001", "", "localhost:9001"},
    {"DnsEmptyHost", "dns:///:9001", "127.0.0.1|9001", "", "localhost:9001"},
    {"DirectEmptyHost", "direct:///:9001,h:1", "127.0.0.1|9001 h|1", "", ""},
    {"EtcdOnThisMachine", "etcd://:2379/order.rpc", "127.0.0.1|2379", "order.rpc", ""},
    {"BareDns", "dns:stock:9001", "stock|9001", "", "stock:9001"},
    {"BareDnsIpv4", "dns:127.0.0.1:47873", "127.0.0.1|47873", "", "127.0.0.1:47873"},
    {"BareDnsIpv6", "dns:[::1]:9001", "::1|9001", "", "[::1]:9001"},
    {"BareDnsEmptyHost", "dns::9001", "127.0.0.1|9001", "", "localhost:9001"},
    {"BareDnsWithoutPort", "dns:stock", "stock|443", "", "stock"},
    {"BareDnsInCapitals", "DNS:stock:1", "stock|1", "", "stock:1"},
    {"DnsIpv6Alone", "dns:///::1", "::1|443", "", "[::1]"},
    {"BarePassthrough", "passthrough:h:1", "h|1", "", "h:1"},
    {"PassthroughWithAuthority", "passthrough://any/h:1", "h|1", "", "h:1"},
    {"HostNamedDns", "dns:9001", "dns|9001", "", "dns:9001"},
    {"HostNamedUnix", "unix:9001", "unix|9001", "", "unix:9001"},
    {"Direct", "direct:///h1:9001,h2:9002", "h1|9001 h2|9002", "", ""},
    {"DirectWithEmptyParts", "direct:///,h1:9001,,", "h1|9001", "", ""},
    {"Etcd", "etcd://h1:2379,h2:2380/order.rpc", "h1|2379 h2|2380", "order.rpc", ""},
    {"EtcdIpv6", "etcd://[::1]:2379,[::2]:2379/order.rpc", "::1|2379 ::2|2379", "order.rpc", ""},
    {"Discov", "discov://h1:2379/order.rpc", "h1|2379", "order.rpc", ""},
};

std::string target_name(const testing::TestParamInfo<TargetCase>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Target, TargetTable, testing::ValuesIn(target_cases), target_name);

struct BadTargetCase {
  const char* name;
  const char* target;
  const char* error;
  Errc code = Errc::invalid_request;
};

class BadTargetTable : public testing::TestWithParam<BadTargetCase> {};

TEST_P(BadTargetTable, SaysWhatIsWrong) {
  const auto target = parse_target(GetParam().target);
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().detail, GetParam().error);
  EXPECT_EQ(target.error().code, GetParam().code);
}

constexpr BadTargetCase bad_target_cases[] = {
    {"Empty", "", "bad address '': no host"},
    {"PasswordIsMasked", "user:pw@h:9001",
     "bad address 'user:***@h:9001': an IPv6 address needs brackets: [::1]:9000"},
    {"PasswordOfAnEtcdIsMasked", "etcd://root:p \"w@h:2379",
     "bad target 'etcd://root:***@h:2379': no key after the hosts"},
    {"ControlCharacter", "h\x01:9001", "bad address 'h\x01:9001': invalid host"},
    {"NoPort", "localhost", "bad address 'localhost': no port"},
    {"EmptyPort", "localhost:", "bad address 'localhost:': invalid port"},
    {"NoNumber", "localhost:http", "bad address 'localhost:http': invalid port"},
    {"PortZero", "localhost:0", "bad address 'localhost:0': invalid port"},
    {"PortTooLarge", "localhost:65536", "bad address 'localhost:65536': invalid port"},
    {"BracketsWithoutHost", "[]:80", "bad address '[]:80': no host"},
    {"EmptyHostWithoutPort", ":", "bad address ':': invalid port"},
    {"DnsWithoutHost", "dns:///", "bad address '': no host"},
    {"BareIpv6", "::1:9000", "bad address '::1:9000': an IPv6 address needs brackets: [::1]:9000"},
    {"OpenBracket", "[::1:9000", "bad address '[::1:9000': no ']'"},
    {"TextAfterBracket", "[::1]9000", "bad address '[::1]9000': no ':' after ']'"},
    {"DirectWithoutHosts", "direct:///", "bad address '': no host"},
    {"DirectHostsInTheWrongPlace", "direct://h1:9001", "bad address '': no host"},
    {"EtcdWithoutKey", "etcd://h:2379", "bad target 'etcd://h:2379': no key after the hosts"},
    {"EtcdWithoutHosts", "etcd:///order.rpc", "bad address '': no host"},
    {"EtcdHostWithoutPort", "etcd://h1,h2:2379/order.rpc", "bad address 'h1': no port"},
    {"OwnNameServer", "dns://8.8.8.8/h:1",
     "bad target 'dns://8.8.8.8/h:1': a name server of one's own cannot be given; use "
     "dns:///host:port"},
    {"Unknown", "zookeeper://h/x", "unknown scheme: zookeeper"},
    {"Consul", "consul://h:8500/x", "scheme 'consul' is not in this version", Errc::not_supported},
    {"Nacos", "nacos://h:8848/x", "scheme 'nacos' is not in this version", Errc::not_supported},
    {"K8s", "k8s://ns/svc:9001", "scheme 'k8s' is not in this version", Errc::not_supported},
    {"UnixSocket", "unix:busi.sock", "scheme 'unix' is not in this version", Errc::not_supported},
    {"UnixSocketUrl", "unix:///busi.sock", "scheme 'unix' is not in this version",
     Errc::not_supported},
    {"AbstractSocket", "unix-abstract:busi", "scheme 'unix-abstract' is not in this version",
     Errc::not_supported},
    {"Kratos", "discovery:///svc", "scheme 'discovery' is not in this version",
     Errc::not_supported},
    {"Polaris", "polaris://svc/", "scheme 'polaris' is not in this version", Errc::not_supported},
    {"Dapr", "daprpgrpc://DAPR_ENV/x", "scheme 'daprpgrpc' is not in this version",
     Errc::not_supported},
};

std::string bad_target_name(const testing::TestParamInfo<BadTargetCase>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Target, BadTargetTable, testing::ValuesIn(bad_target_cases),
                         bad_target_name);

TEST(DnsTarget, RefusesAnAddressThatANulCharacterEnds) {
  const auto target = parse_target(std::string_view("dns:::1\0x", 9));
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code, Errc::invalid_request);
}

TEST(Target, TakesAtMost32DirectAddresses) {
  std::string list = "direct:///";
  for (int i = 0; i < 40; ++i) list += "h" + std::to_string(i) + ":1,";
  const auto target = parse_target(list);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->hosts.size(), 32U);
}

TEST(Target, RefusesAnEtcdWithMoreThan32Members) {
  const auto etcd_with = [](int members) {
    std::string list = "etcd://";
    for (int i = 0; i < members; ++i) list += "h" + std::to_string(i) + ":1,";
    return parse_target(list + "/order.rpc");
  };
  EXPECT_TRUE(etcd_with(32));
  const auto refused = etcd_with(33);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.ends_with("more than 32 hosts")) << refused.error().detail;
}

}  // namespace
}  // namespace concerto::net
