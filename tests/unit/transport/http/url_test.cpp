#include <gtest/gtest.h>

#include <concerto/transport/http_error.hpp>
#include <concerto/transport/percent.hpp>
#include <concerto/transport/url.hpp>

namespace concerto::net {
namespace {

struct UrlPartsCase {
  const char* name;
  const char* url;
  const char* authority;
  const char* port;
  const char* target;
};
void PrintTo(const UrlPartsCase& row, std::ostream* out) {
  *out << row.name;
}

class UrlParts : public testing::TestWithParam<UrlPartsCase> {};

TEST_P(UrlParts, AreFound) {
  const auto url = parse_url(GetParam().url);
  ASSERT_TRUE(url) << url.error().detail;
  std::string authority, target;
  append_authority(authority, *url);
  append_request_target(target, *url);
  EXPECT_EQ(authority, GetParam().authority);
  EXPECT_EQ(url->port, GetParam().port);
  EXPECT_EQ(target, GetParam().target);
}

INSTANTIATE_TEST_SUITE_P(
    Table, UrlParts,
    testing::Values(UrlPartsCase{"Plain", "http://b/a", "b", "80", "/a"},
                    UrlPartsCase{"NoPath", "http://b", "b", "80", "/"},
                    UrlPartsCase{"QueryWithoutPath", "http://b?x=1", "b", "80", "/?x=1"},
                    UrlPartsCase{"Port", "http://b:8081/a?x=1&y=2", "b:8081", "8081", "/a?x=1&y=2"},
                    UrlPartsCase{"DefaultPort", "https://b:443/", "b", "443", "/"},
                    UrlPartsCase{"HttpsDefault", "https://b/", "b", "443", "/"},
                    UrlPartsCase{"EmptyPort", "http://b:/a", "b", "80", "/a"},
                    UrlPartsCase{"EmptyHostIsThisMachine", "http://:8080/a?b", "127.0.0.1:8080",
                                 "8080", "/a?b"},
                    UrlPartsCase{"EmptyHostBehindUser", "http://u:p@:8080/", "127.0.0.1:8080",
                                 "8080", "/"},
                    UrlPartsCase{"EmptyHostAndPort", "https://:/a", "127.0.0.1", "443", "/a"},
                    UrlPartsCase{"UpperCaseScheme", "HTTP://b/a", "b", "80", "/a"},
                    UrlPartsCase{"Fragment", "http://b/a#c?d", "b", "80", "/a"},
                    UrlPartsCase{"Ipv6", "http://[::1]:90/a", "[::1]:90", "90", "/a"},
                    UrlPartsCase{"Userinfo", "http://u:p@b:90/a", "b:90", "90", "/a"},
                    UrlPartsCase{"Blank", "http://b/a b?c d", "b", "80", "/a%20b?c%20d"},
                    UrlPartsCase{"NonAscii", "http://b/\xc3\xa4", "b", "80", "/%C3%A4"},
                    UrlPartsCase{"EscapesStay", "http://b/%2F%zz", "b", "80", "/%2F%zz"}),
    [](const auto& row) { return row.param.name; });

struct BadUrlCase {
  const char* name;
  const char* url;
  HttpErrc code;
};
void PrintTo(const BadUrlCase& row, std::ostream* out) {
  *out << row.name;
}

class BadUrl : public testing::TestWithParam<BadUrlCase> {};

TEST_P(BadUrl, IsRefused) {
  const auto url = parse_url(GetParam().url);
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().code, GetParam().code) << url.error().detail;
  EXPECT_TRUE(url.error().code == Condition::rejected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadUrl,
    testing::Values(BadUrlCase{"Empty", "", HttpErrc::unsupported_scheme},
                    BadUrlCase{"HostAndPort", "host:80/a", HttpErrc::unsupported_scheme},
                    BadUrlCase{"OtherScheme", "ftp://b/a", HttpErrc::unsupported_scheme},
                    BadUrlCase{"NoHost", "http:///a", HttpErrc::bad_url},
                    BadUrlCase{"UserWithoutHost", "http://u@/a", HttpErrc::bad_url},
                    BadUrlCase{"BracketsWithoutHost", "http://[]:80/a", HttpErrc::bad_url},
                    BadUrlCase{"BadHost", "http://a b/", HttpErrc::bad_url},
                    BadUrlCase{"LineBreak", "http://b/a\r\nEvil: 1", HttpErrc::bad_url},
                    BadUrlCase{"LineBreakInFragment", "http://b/a#\n", HttpErrc::bad_url},
                    BadUrlCase{"PortTooLarge", "http://b:65536/", HttpErrc::bad_url},
                    BadUrlCase{"PortZero", "http://b:0/", HttpErrc::bad_url},
                    BadUrlCase{"PortNoNumber", "http://b:x/", HttpErrc::bad_url},
                    BadUrlCase{"OpenBracket", "http://[::1/", HttpErrc::bad_url}),
    [](const auto& row) { return row.param.name; });

TEST(BadUrl, ShowsNoPassword) {
  const auto no_port = parse_url("http://user:p w@b:0/");
  ASSERT_FALSE(no_port);
  EXPECT_EQ(no_port.error().detail, "bad URL http://user:***@b:0/: its port is not 1 to 65535");
  const auto no_scheme = parse_url("user:pw@b/a");
  ASSERT_FALSE(no_scheme);
  EXPECT_EQ(no_scheme.error().detail, "unsupported protocol scheme \"user\" in user:***@b/a");
}

struct LocationCase {
  const char* name;
  const char* base;
  const char* location;
  const char* want;
};
void PrintTo(const LocationCase& row, std::ostream* out) {
  *out << row.name;
}

class Location : public testing::TestWithParam<LocationCase> {};

TEST_P(Location, IsResolved) {
  EXPECT_EQ(resolve_location(GetParam().base, GetParam().location), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Location,
    testing::Values(LocationCase{"Absolute", "http://b/a", "https://c/d?e", "https://c/d?e"},
                    LocationCase{"OtherHost", "https://b/a", "//c/d", "https://c/d"},
                    LocationCase{"Rooted", "http://b:1/a/b?x", "/c?y", "http://b:1/c?y"},
                    LocationCase{"Relative", "http://b/a/b?x", "c", "http://b/a/c"},
                    LocationCase{"RelativeWithoutPath", "http://b", "c", "http://b/c"},
                    LocationCase{"RelativeAfterQuery", "http://b?x/y", "c", "http://b/c"},
                    LocationCase{"Up", "http://b/a/b/c", "../d", "http://b/a/d"},
                    LocationCase{"UpTooFar", "http://b/a", "../../d", "http://b/d"},
                    LocationCase{"Here", "http://b/a/b", "./", "http://b/a/"},
                    LocationCase{"UpAtEnd", "http://b/a/b/", "..", "http://b/a/"},
                    LocationCase{"QueryAlone", "http://b/a?x", "?y", "http://b/a?y"},
                    LocationCase{"FragmentAlone", "http://b/a?x", "#f", "http://b/a?x#f"},
                    LocationCase{"Empty", "http://b/a?x#f", "", "http://b/a?x"},
                    LocationCase{"ColonInPath", "http://b/a", "/c:d", "http://b/c:d"}),
    [](const auto& row) { return row.param.name; });

TEST(DecodeQuery, SkipsPairsThatCannotBeDecoded) {
  using Query = HttpRequest::Query;
  EXPECT_EQ(decode_query("a=1&b=%41+c&&d&e=%zz&f;g=1&h="),
            (Query{{"a", "1"}, {"b", "A c"}, {"d", ""}, {"h", ""}}));
}

}  // namespace
}  // namespace concerto::net
