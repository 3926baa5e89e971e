#include <gtest/gtest.h>

#include <concerto/protocol/grpc_url.hpp>

namespace concerto::net {
namespace {

struct SplitCase {
  const char* name;
  Driver driver;
  const char* url;
  const char* target;  ///< null: an error is expected
  const char* method_or_error;
};

class GrpcUrlTable : public testing::TestWithParam<SplitCase> {};

TEST_P(GrpcUrlTable, SplitsOrSaysWhyNot) {
  const auto& row = GetParam();
  const auto parts = parse_grpc_url(row.driver, row.url);
  if (row.target == nullptr) {
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().detail, row.method_or_error);
    EXPECT_EQ(parts.error().code, Errc::invalid_request);
    return;
  }
  ASSERT_TRUE(parts) << parts.error().detail;
  EXPECT_EQ(parts->target, row.target);
  EXPECT_EQ(parts->method, row.method_or_error);
}

constexpr SplitCase standard_cases[] = {
    {"Plain", Driver::standard, "localhost:50589/busi.Busi/TransOut", "localhost:50589",
     "/busi.Busi/TransOut"},
    {"KubernetesService", Driver::standard, "svc-name:9000/pkg.Svc/Method", "svc-name:9000",
     "/pkg.Svc/Method"},
    {"Ipv6", Driver::standard, "[::1]:9000/pkg.Svc/Method", "[::1]:9000", "/pkg.Svc/Method"},
    {"Scheme", Driver::standard, "etcd://h:2379/order.rpc/pb.Order/Create", nullptr,
     "call dtmdriver.Use() before you use custom scheme for "
     "'etcd://h:2379/order.rpc/pb.Order/Create': MicroService.Driver is 'default'; "
     "dtm-driver-gozero takes URLs with a scheme"},
    {"NoSlash", Driver::standard, "localhost:50589", nullptr,
     "bad url: 'localhost:50589'. no '/' found"},
    {"Empty", Driver::standard, "", nullptr, "bad url: ''. no '/' found"},
};

constexpr SplitCase gozero_cases[] = {
    {"Plain", Driver::gozero, "localhost:50589/busi.Busi/TransOut", "localhost:50589",
     "/busi.Busi/TransOut"},
    {"NoSlash", Driver::gozero, "localhost:50589", nullptr,
     "bad url: 'localhost:50589'. no '/' found"},
    {"Etcd", Driver::gozero, "etcd://127.0.0.1:2379/stock.rpc/pb.Stock/Deduct",
     "etcd://127.0.0.1:2379/stock.rpc", "/pb.Stock/Deduct"},
    {"EtcdWithSeveralHosts", Driver::gozero, "etcd://h1:2379,h2:2379/stock.rpc/pb.Stock/Deduct",
     "etcd://h1:2379,h2:2379/stock.rpc", "/pb.Stock/Deduct"},
    {"Discov", Driver::gozero, "discov://h1:2379/stock.rpc/pb.Stock/Deduct",
     "discov://h1:2379/stock.rpc", "/pb.Stock/Deduct"},
    {"Direct", Driver::gozero, "direct:///h1:9001,h2:9001/pb.Stock/Deduct",
     "direct:///h1:9001,h2:9001", "/pb.Stock/Deduct"},
    {"Dns", Driver::gozero, "dns:///stock:9001/pb.Stock/Deduct", "dns:///stock:9001",
     "/pb.Stock/Deduct"},
    {"KubernetesEndpoints", Driver::gozero, "k8s://ns/svc:9001/pb.Stock/Deduct",
     "k8s://ns/svc:9001", "/pb.Stock/Deduct"},
    {"Kratos", Driver::gozero, "discovery:///svc/pkg.Svc/M", "discovery:///svc", "/pkg.Svc/M"},
    {"ConsulParametersAreDropped", Driver::gozero,
     "consul://h:8500/order.rpc?wait=14s/pb.Order/Create", "consul://h:8500/order.rpc",
     "/pb.Order/Create"},
    {"NacosParametersAreDropped", Driver::gozero, "nacos://h:8848/order?namespaceId=a/pb.Order/C",
     "nacos://h:8848/order", "/pb.Order/C"},
    {"ParametersWithoutMethod", Driver::gozero, "consul://h:8500/order.rpc?wait=14s", nullptr,
     "bad url: 'consul://h:8500/order.rpc?wait=14s'. no '/' found"},
    {"SecondQuestionMarkEndsTheUrl", Driver::gozero, "consul://h/o?a/pb.O/C?b/d", "consul://h/o",
     "/pb.O/C"},
    {"OtherParametersEndTheUrl", Driver::gozero, "etcd://h:2379/a.rpc/pb.A/B?x=/y/z",
     "etcd://h:2379/a.rpc", "/pb.A/B"},
    {"FragmentEndsTheUrl", Driver::gozero, "etcd://h:2379/a.rpc/pb.A/B#c", "etcd://h:2379/a.rpc",
     "/pb.A/B"},
    {"UserInfoStays", Driver::gozero, "consul://u:p@h:8500/order.rpc/pb.Order/Create",
     "consul://u:p@h:8500/order.rpc", "/pb.Order/Create"},
    {"SchemeIsLowered", Driver::gozero, "ETCD://h:2379/a.rpc/pb.A/B", "etcd://h:2379/a.rpc",
     "/pb.A/B"},
    {"PathIsDecoded", Driver::gozero, "etcd://h:2379/a%20b/pb.A/B", "etcd://h:2379/a b", "/pb.A/B"},
    {"OneSegment", Driver::gozero, "etcd://h:2379/a.rpc", "etcd://h:2379", "/a.rpc"},
    {"EmptyPath", Driver::gozero, "etcd://h:2379", nullptr,
     "bad url: 'etcd://h:2379'. no '/' found"},
    {"NoMethod", Driver::gozero, "etcd://h:2379/", nullptr, "bad url: 'etcd://h:2379/'. no method"},
    {"NoScheme", Driver::gozero, "//h:2379/a.rpc/pb.A/B", nullptr,
     "bad url: '//h:2379/a.rpc/pb.A/B'. no scheme"},
    {"DoubleSlashInPlainUrl", Driver::gozero, "localhost:9000//pkg.Svc/M", nullptr,
     "bad url: 'localhost:9000//pkg.Svc/M'. no '//' after the scheme"},
    {"ControlCharacter", Driver::gozero, "etcd://h:2379/a\n/pb.A/B", nullptr,
     "bad url: 'etcd://h:2379/a\n/pb.A/B'. control character"},
    {"BadEscape", Driver::gozero, "etcd://h:2379/a%zz/pb.A/B", nullptr,
     "bad url: 'etcd://h:2379/a%zz/pb.A/B'. invalid escape in the path"},
    {"CutEscape", Driver::gozero, "etcd://h:2379/a/pb.A/B%2", nullptr,
     "bad url: 'etcd://h:2379/a/pb.A/B%2'. invalid escape in the path"},
    {"PasswordIsMasked", Driver::gozero, "user:pw@h:9001", nullptr,
     "bad url: 'user:***@h:9001'. no '/' found"},
    {"SpaceInHost", Driver::gozero, "etcd://h 1:2379/a/pb.A/B", nullptr,
     "bad url: 'etcd://h 1:2379/a/pb.A/B'. invalid character in the host"},
};

std::string row_name(const testing::TestParamInfo<SplitCase>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Default, GrpcUrlTable, testing::ValuesIn(standard_cases), row_name);
INSTANTIATE_TEST_SUITE_P(GoZero, GrpcUrlTable, testing::ValuesIn(gozero_cases), row_name);

TEST(ParseDriver, KnowsTheDriversOfThisVersion) {
  EXPECT_EQ(parse_driver("default").value(), Driver::standard);
  EXPECT_EQ(parse_driver("dtm-driver-gozero").value(), Driver::gozero);
}

TEST(ParseDriver, NamesADriverThatIsNotInThisVersion) {
  for (const char* name : {"dtm-driver-kratos", "dtm-driver-polaris", "dtm-driver-ego",
                           "dtm-driver-dapr", "dtm-driver-springcloud", "dtm-driver-sponge"}) {
    const auto driver = parse_driver(name);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().code, Errc::not_supported);
    EXPECT_EQ(driver.error().detail,
              "MicroService.Driver '" + std::string(name) + "' is not in this version");
  }
}

TEST(ParseDriver, RefusesAnUnknownDriver) {
  const auto driver = parse_driver("x");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().detail,
            "MicroService.Driver: no dtm driver with name: x has been registered");
}

}  // namespace
}  // namespace concerto::net
