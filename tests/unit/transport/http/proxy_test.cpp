#include <gtest/gtest.h>

#include <concerto/transport/http_proxy.hpp>

namespace concerto::net {
namespace {

struct BypassCase {
  const char* name;
  const char* no_proxy;
  const char* host;
  const char* port;
  bool uses_proxy;
};
void PrintTo(const BypassCase& row, std::ostream* out) {
  *out << row.name;
}

class NoProxy : public testing::TestWithParam<BypassCase> {};

TEST_P(NoProxy, DecidesAsGoDoes) {
  const auto& row = GetParam();
  const auto rules = HttpProxyRules::make("proxy:3128", "", row.no_proxy);
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->find(false, row.host, row.port) != nullptr, row.uses_proxy);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NoProxy,
    testing::Values(BypassCase{"NoList", "", "b.org", "80", true},
                    BypassCase{"Localhost", "", "localhost", "80", false},
                    BypassCase{"LocalhostUpper", "", "LocalHost", "80", false},
                    BypassCase{"Loopback", "", "127.8.9.1", "80", false},
                    BypassCase{"Loopback6", "", "::1", "80", false},
                    BypassCase{"Star", "*", "b.org", "80", false},
                    BypassCase{"StarInList", "a.org, *", "b.org", "80", false},
                    BypassCase{"Same", "b.org", "b.org", "80", false},
                    BypassCase{"SameOtherCase", "B.Org", "b.oRG", "80", false},
                    BypassCase{"Below", "b.org", "a.b.org", "80", false},
                    BypassCase{"NotJustSuffix", "b.org", "ab.org", "80", true},
                    BypassCase{"DotCoversBelow", ".b.org", "a.b.org", "80", false},
                    BypassCase{"DotNotItself", ".b.org", "b.org", "80", true},
                    BypassCase{"StarDotNotItself", "*.b.org", "b.org", "80", true},
                    BypassCase{"StarDotBelow", "*.b.org", "a.b.org", "80", false},
                    BypassCase{"Port", "b.org:8080", "b.org", "8080", false},
                    BypassCase{"OtherPort", "b.org:8080", "b.org", "80", true},
                    BypassCase{"List", " a.org , b.org ,", "b.org", "80", false},
                    BypassCase{"Address", "10.1.2.3", "10.1.2.3", "80", false},
                    BypassCase{"OtherAddress", "10.1.2.3", "10.1.2.4", "80", true},
                    BypassCase{"AddressAndPort", "10.1.2.3:81", "10.1.2.3", "80", true},
                    BypassCase{"Range", "10.1.0.0/20", "10.1.15.255", "80", false},
                    BypassCase{"OutOfRange", "10.1.0.0/20", "10.1.16.0", "80", true},
                    BypassCase{"RangeNotForNames", "10.0.0.0/8", "10.b.org", "80", true},
                    BypassCase{"Everything4", "0.0.0.0/0", "8.8.8.8", "80", false},
                    BypassCase{"Range6", "fd00::/8", "fd12::1", "80", false},
                    BypassCase{"Address6AndPort", "[fd12::1]:80", "fd12::1", "80", false},
                    BypassCase{"BadRange", "10.0.0.0/x", "10.0.0.1", "80", true}),
    [](const auto& row) { return row.param.name; });

TEST(HttpProxyRules, ChoosesByScheme) {
  const auto rules = HttpProxyRules::make("http://u%40:p@one:3128/", "two", "");
  ASSERT_TRUE(rules);
  const auto* http = rules->find(false, "b", "80");
  const auto* https = rules->find(true, "b", "443");
  ASSERT_TRUE(http && https);
  EXPECT_EQ(http->host + ":" + http->port, "one:3128");
  EXPECT_EQ(http->authorization, "Basic dUA6cA==");
  EXPECT_EQ(https->host + ":" + https->port, "two:80");
  EXPECT_EQ(https->authorization, "");
}

TEST(HttpProxyRules, RefusesABadProxyWithoutRepeatingItsText) {
  for (const char* proxy : {"socks5://user:secret@p", "https://user:secret@p", "http://secret p"}) {
    const auto rules = HttpProxyRules::make(proxy, "", "");
    ASSERT_FALSE(rules) << proxy;
    EXPECT_EQ(rules.error().detail.find("secret"), std::string::npos);
    EXPECT_NE(rules.error().detail.find("HTTP_PROXY"), std::string::npos);
  }
}

}  // namespace
}  // namespace concerto::net
