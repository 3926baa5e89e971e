// Whom a proxy names as the client, and when it counts.

#include "api/forwarded.hpp"

#include <ostream>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

struct ForwardedCase {
  const char* name;
  const char* peer;
  std::vector<std::string> fields;
  const char* want;
};
void PrintTo(const ForwardedCase& row, std::ostream* out) {
  *out << row.name;
}

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return std::move(text).str();
}

class Forwarded : public testing::TestWithParam<ForwardedCase> {};

/// The proxies are 10.0.0.0/8 and fd00::/8, and each connection has the port 80.
TEST_P(Forwarded, NamesTheClientOverHttpAndGrpc) {
  const auto proxies = AddressSet::parse("10.0.0.0/8, fd00::/8");
  ASSERT_TRUE(proxies);
  const tcp::endpoint peer{make_address(GetParam().peer), 80};
  HttpHeaders headers;
  GrpcMetadata metadata;
  for (const std::string& field : GetParam().fields) {
    headers.add("X-Forwarded-For", field);
    metadata.add("x-forwarded-for", field);
    headers.add("X-Real-IP", "192.0.2.99");
  }
  EXPECT_EQ(text_of(client_of(peer, headers, *proxies)), GetParam().want);
  EXPECT_EQ(text_of(client_of(peer, metadata, *proxies)), GetParam().want);
  EXPECT_EQ(client_of(peer, headers, {}), peer) << "there are no proxies";
}

INSTANTIATE_TEST_SUITE_P(
    Requests, Forwarded,
    testing::Values(
        ForwardedCase{"ByAProxy", "10.0.0.1", {"192.0.2.7"}, "192.0.2.7:0"},
        ForwardedCase{"BySomebodyElse", "192.0.2.1", {"192.0.2.7"}, "192.0.2.1:80"},
        ForwardedCase{"WithoutTheField", "10.0.0.1", {}, "10.0.0.1:80"},
        ForwardedCase{"ByTwoProxies", "10.0.0.1", {"192.0.2.7, 10.0.0.2"}, "192.0.2.7:0"},
        ForwardedCase{
            "MadeUpByTheClient", "10.0.0.1", {"10.0.0.9, 127.0.0.1, 192.0.2.7"}, "192.0.2.7:0"},
        ForwardedCase{"MadeUpWithAProxyBehindIt",
                      "10.0.0.1",
                      {"1.2.3.4,192.0.2.7 ,\t10.0.0.2"},
                      "192.0.2.7:0"},
        ForwardedCase{"OnlyProxies", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3:0"},
        ForwardedCase{"SeveralFields",
                      "10.0.0.1",
                      {"1.2.3.4", "192.0.2.7, 10.0.0.3", "10.0.0.2"},
                      "192.0.2.7:0"},
        ForwardedCase{"WithAPort", "10.0.0.1", {"192.0.2.7:51234"}, "192.0.2.7:51234"},
        ForwardedCase{"OfIpv6", "fd00::1", {"2001:db8::7"}, "[2001:db8::7]:0"},
        ForwardedCase{"OfIpv6InBrackets", "fd00::1", {"[2001:db8::7]"}, "[2001:db8::7]:0"},
        ForwardedCase{"OfIpv6WithAPort", "fd00::1", {"[2001:db8::7]:51234"}, "[2001:db8::7]:51234"},
        ForwardedCase{"TheProxyAsIpv6", "::ffff:10.0.0.1", {"192.0.2.7"}, "192.0.2.7:0"},
        ForwardedCase{"NoAddress", "10.0.0.1", {"unknown"}, "10.0.0.1:80"},
        ForwardedCase{"AName", "10.0.0.1", {"b.org"}, "10.0.0.1:80"},
        ForwardedCase{"Empty", "10.0.0.1", {""}, "10.0.0.1:80"},
        ForwardedCase{"ACommaAtTheEnd", "10.0.0.1", {"192.0.2.7,"}, "10.0.0.1:80"},
        ForwardedCase{"Unspecified", "10.0.0.1", {"::"}, "10.0.0.1:80"},
        ForwardedCase{"AWrongPort", "10.0.0.1", {"192.0.2.7:65536"}, "10.0.0.1:80"},
        ForwardedCase{"AnOpenBracket", "10.0.0.1", {"[2001:db8::7"}, "10.0.0.1:80"},
        ForwardedCase{"SomethingBehindTheBracket", "10.0.0.1", {"[2001:db8::7]x"}, "10.0.0.1:80"},
        ForwardedCase{
            "WhatIsBehindIsKept", "10.0.0.1", {"192.0.2.7, nonsense, 10.0.0.2"}, "10.0.0.2:0"},
        ForwardedCase{
            "TooLong", "10.0.0.1", {"192.0.2.7" + std::string(100'000, '0')}, "10.0.0.1:80"},
        ForwardedCase{"TooManyProxies",
                      "10.0.0.1",
                      {"192.0.2.7, 10.0.1.1, 10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,"
                       "10.0.0.8,10.0.0.9,10.0.0.10,10.0.0.11,10.0.0.12,10.0.0.13,10.0.0.14,"
                       "10.0.0.15,10.0.0.16"},
                      "10.0.1.1:0"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::net
