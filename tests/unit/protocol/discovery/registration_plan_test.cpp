#include <gtest/gtest.h>

#include <concerto/protocol/registration_plan.hpp>

namespace concerto::net {
namespace {

TEST(RegistrationPlan, ReadsTheArticlesConfiguration) {
  const auto plan =
      parse_registration(Driver::gozero, "etcd://localhost:2379/dtmservice", "localhost:36790");
  ASSERT_TRUE(plan);
  ASSERT_TRUE(*plan);
  EXPECT_EQ((*plan)->access.hosts, "localhost:2379");
  EXPECT_EQ((*plan)->access.user, "");
  EXPECT_EQ((*plan)->key, "dtmservice");
  EXPECT_EQ((*plan)->endpoint, "localhost:36790");
}

TEST(RegistrationPlan, ReadsHostsAndAccount) {
  const auto plan = parse_registration(
      Driver::gozero, "discov://h1:2379,h2:2379/a/b?user=me%40x&password=p%2B+q", "verbatim");
  ASSERT_TRUE(plan);
  ASSERT_TRUE(*plan);
  EXPECT_EQ((*plan)->access.hosts, "h1:2379,h2:2379");
  EXPECT_EQ((*plan)->access.user, "me@x");
  EXPECT_EQ((*plan)->access.password, "p+ q");
  EXPECT_EQ((*plan)->key, "a/b");
  EXPECT_EQ((*plan)->endpoint, "verbatim");
}

TEST(RegistrationPlan, ForgivesCaseOfTheSchemeAndBlanksBetweenHosts) {
  const auto plan =
      parse_registration(Driver::gozero, "ETCD://h1:2379 , h2:2379,h3:2379 /a", "e:1");
  ASSERT_TRUE(plan) << plan.error().detail;
  ASSERT_TRUE(*plan);
  EXPECT_EQ((*plan)->access.hosts, "h1:2379,h2:2379,h3:2379");
  EXPECT_EQ((*plan)->key, "a");
  EXPECT_FALSE(parse_registration(Driver::gozero, "etcd://h 1:2379/a", "e:1"));
}

TEST(RegistrationPlan, ReadsTheAccountBeforeTheHosts) {
  const auto plan =
      parse_registration(Driver::gozero, "etcd://me%40x:p%3A+q@h1:2379,h2:2379/a", "e:1");
  ASSERT_TRUE(plan);
  ASSERT_TRUE(*plan);
  EXPECT_EQ((*plan)->access.hosts, "h1:2379,h2:2379");
  EXPECT_EQ((*plan)->access.user, "me@x");
  EXPECT_EQ((*plan)->access.password, "p:+q");
}

TEST(RegistrationPlan, SpeaksTlsWhereTheTargetAsksForIt) {
  const auto tls_of = [](const char* parameters) {
    const auto plan = parse_registration(
        Driver::gozero, "etcd://h:2379/a?" + std::string(parameters), "localhost:36790");
    EXPECT_TRUE(plan);
    return (*plan)->access.tls;
  };
  EXPECT_EQ(tls_of(""), nullptr);
  EXPECT_EQ(tls_of("enableSecure=false"), nullptr);
  EXPECT_NE(tls_of("enableSecure=true"), nullptr);
}

TEST(RegistrationPlan, RegistersNothingWithoutATarget) {
  const auto plan = parse_registration(Driver::gozero, "", "localhost:36790");
  ASSERT_TRUE(plan);
  EXPECT_FALSE(*plan);
}

TEST(RegistrationPlan, RegistersNothingWithTheDefaultDriver) {
  const auto plan =
      parse_registration(Driver::standard, "etcd://localhost:2379/dtmservice", "localhost:36790");
  ASSERT_TRUE(plan);
  EXPECT_FALSE(*plan);
}

struct RefusedPlanCase {
  const char* name;
  const char* target;
  const char* endpoint;
  const char* error;
};

class RefusedRegistration : public testing::TestWithParam<RefusedPlanCase> {};

TEST_P(RefusedRegistration, NamesTheSetting) {
  const auto plan = parse_registration(Driver::gozero, GetParam().target, GetParam().endpoint);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().detail, GetParam().error);
}

constexpr RefusedPlanCase refused_cases[] = {
    {"Consul", "consul://h:8500/dtmservice", "e:1",
     "MicroService.Target 'consul://h:8500/dtmservice': scheme 'consul' is not in this version"},
    {"Nacos", "nacos://h:8848/dtmservice", "e:1",
     "MicroService.Target 'nacos://h:8848/dtmservice': scheme 'nacos' is not in this version"},
    {"Unknown", "zk://h/dtmservice", "e:1",
     "MicroService.Target 'zk://h/dtmservice': unknown scheme: zk"},
    {"NoUrl", "localhost:2379", "e:1",
     "MicroService.Target 'localhost:2379': no '//' after the scheme"},
    {"NoHost", "etcd:///dtmservice", "e:1",
     "MicroService.Target 'etcd:///dtmservice': bad address '': no host"},
    {"NoKey", "etcd://h:2379/", "e:1",
     "MicroService.Target 'etcd://h:2379/': no key after the hosts"},
    {"BadAccount", "etcd://me:%zz@h:2379/dtmservice", "e:1",
     "MicroService.Target 'etcd://me:***@h:2379/dtmservice': invalid escape in user or password"},
    {"NoCaFile", "etcd://h:2379/a?caCert=/none.pem", "e:1",
     "MicroService.Target 'etcd://h:2379/a?caCert=/none.pem': cannot load certificates from "
     "'/none.pem': No such file or directory"},
    {"KeyAlone", "etcd://h:2379/a?keyFile=/k.pem", "e:1",
     "MicroService.Target 'etcd://h:2379/a?keyFile=/k.pem': a certificate and its key go "
     "together"},
    {"TlsOffWithFiles", "etcd://h:2379/a?enableSecure=false&caCert=/c.pem", "e:1",
     "MicroService.Target 'etcd://h:2379/a?enableSecure=false&caCert=/c.pem': enableSecure is "
     "false, but caCert, certFile or keyFile is given"},
    {"TlsPerhaps", "etcd://h:2379/a?enableSecure=yes", "e:1",
     "MicroService.Target 'etcd://h:2379/a?enableSecure=yes': enableSecure is 'true' or 'false', "
     "not 'yes'"},
    {"NoEndpoint", "etcd://h:2379/dtmservice", "",
     "MicroService.EndPoint '': the address to publish at 'etcd://h:2379/dtmservice' is missing"},
};

std::string row_name(const testing::TestParamInfo<RefusedPlanCase>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(RegistrationPlan, RefusedRegistration, testing::ValuesIn(refused_cases),
                         row_name);

}  // namespace
}  // namespace concerto::net
