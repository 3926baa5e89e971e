#include <gtest/gtest.h>

#include <concerto/base/url_parts.hpp>

namespace concerto {
namespace {

struct PartsCase {
  const char* name;
  const char* url;
  const char* want;  ///< `scheme|userinfo|host|path|query`
};

void PrintTo(const PartsCase& row, std::ostream* out) {
  *out << row.name;
}

class PartsOfAUrl : public testing::TestWithParam<PartsCase> {};

TEST_P(PartsOfAUrl, AreCutAtItsMarks) {
  const auto parts = split_url(GetParam().url);
  ASSERT_TRUE(parts) << parts.error().detail;
  std::string text{parts->scheme};
  for (const std::string_view part : {parts->userinfo, parts->host, parts->path, parts->query}) {
    text.append("|").append(part);
  }
  EXPECT_EQ(text, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    SplitUrl, PartsOfAUrl,
    testing::Values(PartsCase{"All", "http://u:p@h:1/a/b?x=1&y#f", "http|u:p|h:1|/a/b|x=1&y"},
                    PartsCase{"HostAlone", "http://h", "http||h||"},
                    PartsCase{"NothingAfterTheScheme", "http://", "http||||"},
                    PartsCase{"NoHost", "direct:///a:1,b:2", "direct|||/a:1,b:2|"},
                    PartsCase{"ManyHosts", "etcd://u@a:1,b:2/key", "etcd|u|a:1,b:2|/key|"},
                    PartsCase{"CaseOfTheSchemeStays", "HTTP://h/", "HTTP||h|/|"},
                    PartsCase{"SchemeWithMarks", "a+b-c.1://h", "a+b-c.1||h||"},
                    PartsCase{"LastAtEndsTheUserinfo", "http://u:p@q@h/", "http|u:p@q|h|/|"},
                    PartsCase{"EmptyUserinfo", "http://@h/", "http||h|/|"},
                    PartsCase{"AtInThePath", "http://h/@x", "http||h|/@x|"},
                    PartsCase{"QueryWithoutPath", "http://h?a@b/c", "http||h||a@b/c"},
                    PartsCase{"QuestionMarkInTheQuery", "http://h/?a?b", "http||h|/|a?b"},
                    PartsCase{"QuestionMarkInTheFragment", "http://h/#a?b", "http||h|/|"},
                    PartsCase{"EscapesStay", "http://h/%2F?%zz", "http||h|/%2F|%zz"},
                    PartsCase{"Ipv6", "http://u@[::1]:9/a", "http|u|[::1]:9|/a|"}),
    [](const auto& row) { return row.param.name; });

struct NoUrlCase {
  const char* name;
  const char* text;
  const char* reason;
};

void PrintTo(const NoUrlCase& row, std::ostream* out) {
  *out << row.name;
}

class TextThatIsNoUrl : public testing::TestWithParam<NoUrlCase> {};

TEST_P(TextThatIsNoUrl, IsRefused) {
  const auto parts = split_url(GetParam().text);
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, Errc::invalid_request);
  EXPECT_EQ(parts.error().detail, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    SplitUrl, TextThatIsNoUrl,
    testing::Values(NoUrlCase{"Empty", "", "no scheme"}, NoUrlCase{"Path", "/a/b", "no scheme"},
                    NoUrlCase{"EmptyScheme", "://h", "no scheme"},
                    NoUrlCase{"SchemeOfADigit", "1a://h", "no scheme"},
                    NoUrlCase{"BlankInTheScheme", "a b://h", "no scheme"},
                    NoUrlCase{"SchemeInTheQuery", "h?http://g", "no scheme"},
                    NoUrlCase{"SchemeInTheFragment", "h#http://g", "no scheme"},
                    NoUrlCase{"HostAndPort", "h:80/a", "no '//' after the scheme"},
                    NoUrlCase{"OneSlash", "http:/h", "no '//' after the scheme"}),
    [](const auto& row) { return row.param.name; });

struct HostCase {
  const char* name;
  const char* text;
  const char* host;
  const char* port;
  bool has_brackets;
  bool has_port;
};

void PrintTo(const HostCase& row, std::ostream* out) {
  *out << row.name;
}

class HostAndPortTable : public testing::TestWithParam<HostCase> {};

TEST_P(HostAndPortTable, IsCutAtItsColon) {
  const auto parts = split_host_port(GetParam().text);
  ASSERT_TRUE(parts) << parts.error().detail;
  EXPECT_EQ(parts->host, GetParam().host);
  EXPECT_EQ(parts->port, GetParam().port);
  EXPECT_EQ(parts->has_brackets, GetParam().has_brackets);
  EXPECT_EQ(parts->has_port, GetParam().has_port);
}

INSTANTIATE_TEST_SUITE_P(SplitHostPort, HostAndPortTable,
                         testing::Values(HostCase{"Both", "h:80", "h", "80", false, true},
                                         HostCase{"HostAlone", "h", "h", "", false, false},
                                         HostCase{"EmptyPort", "h:", "h", "", false, true},
                                         HostCase{"PortAlone", ":80", "", "80", false, true},
                                         HostCase{"Empty", "", "", "", false, false},
                                         HostCase{"TwoColons", "a:b:c", "a", "b:c", false, true},
                                         HostCase{"Ipv6", "[::1]:80", "::1", "80", true, true},
                                         HostCase{"Ipv6Alone", "[::1]", "::1", "", true, false},
                                         HostCase{"EmptyBrackets", "[]:1", "", "1", true, true}),
                         [](const auto& row) { return row.param.name; });

TEST(SplitHostPort, SaysWhatIsWrongWithTheBrackets) {
  EXPECT_EQ(split_host_port("[::1").error().detail, "no ']'");
  EXPECT_EQ(split_host_port("[::1]80").error().detail, "no ':' after ']'");
}

TEST(ParsePort, TakesOneTo65535) {
  EXPECT_EQ(parse_port("1"), 1);
  EXPECT_EQ(parse_port("65535"), 65535);
  for (const char* const text : {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x1", "http"}) {
    EXPECT_EQ(parse_port(text), std::nullopt) << text;
  }
}

TEST(ControlCharacter, IsFoundAnywhere) {
  EXPECT_FALSE(has_control_character("http://h/\xc3\xa4 ~"));
  EXPECT_TRUE(has_control_character("a\n"));
  EXPECT_TRUE(has_control_character("\x7f"));
  EXPECT_TRUE(has_control_character(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace concerto
