#include <gtest/gtest.h>

#include <concerto/base/masked_url.hpp>

namespace concerto {
namespace {

struct UrlCase {
  const char* name;
  const char* url;
  const char* want;
};

void PrintTo(const UrlCase& row, std::ostream* out) {
  *out << row.name;
}

class MaskedUrl : public testing::TestWithParam<UrlCase> {};

TEST_P(MaskedUrl, ShowsNoSecret) {
  EXPECT_EQ(masked_url(GetParam().url), GetParam().want);
  EXPECT_EQ(masked_url(GetParam().want), GetParam().want) << "a masked URL stays as it is";
}

INSTANTIATE_TEST_SUITE_P(
    Table, MaskedUrl,
    testing::Values(UrlCase{"Plain", "http://h:80/a?x=1#f", "http://h:80/a?x=1#f"},
                    UrlCase{"Empty", "", ""},
                    UrlCase{"Password", "http://user:pw@h/a", "http://user:***@h/a"},
                    UrlCase{"TokenAsUser", "https://ghp_1234@h/a", "https://***@h/a"},
                    UrlCase{"AtInThePassword", "http://user:p@w:x@h", "http://user:***@h"},
                    UrlCase{"QuoteInThePassword", "http://user:p'w@h", "http://user:***@h"},
                    UrlCase{"BlankInThePassword", "http://user:p w@h/a", "http://user:***@h/a"},
                    UrlCase{"DoubleQuoteInThePassword", "http://user:p\"w@h", "http://user:***@h"},
                    UrlCase{"BlankInTheUser", "us er:pw@h:9001/M", "us er:***@h:9001/M"},
                    UrlCase{"BlankInTheSecretOfAQuery", "http://h?token=a b&c=1",
                            "http://h?token=***&c=1"},
                    UrlCase{"AtInThePath", "http://h/users/@me", "http://h/users/@me"},
                    UrlCase{"AtInTheQuery", "http://h?mail=a:b@c", "http://h?mail=a:b@c"},
                    UrlCase{"Grpc", "user:pw@h:9001/pkg.Svc/M", "user:***@h:9001/pkg.Svc/M"},
                    UrlCase{"GrpcWithAUrlInTheQuery", "user:pw@h:9001/M?next=http://g/",
                            "user:***@h:9001/M?next=http://g/"},
                    UrlCase{"Registry", "etcd://root:pw@h1:2379,h2:2379/svc/pkg.Svc/M",
                            "etcd://root:***@h1:2379,h2:2379/svc/pkg.Svc/M"},
                    UrlCase{"TokenInTheQuery", "http://h/a?b=1&access_token=abc&c=2#f",
                            "http://h/a?b=1&access_token=***&c=2#f"},
                    UrlCase{"NamesInAnyCase", "http://h?X-Amz-Signature=ab&Key=c",
                            "http://h?X-Amz-Signature=***&Key=***"},
                    UrlCase{"OtherNames", "http://h?keyboard=1&method=TransIn",
                            "http://h?keyboard=1&method=TransIn"},
                    UrlCase{"UrlInTheQuery", "http://h?next=http://u:pw@g/?token=t",
                            "http://h?next=http://u:***@g/?token=***"}),
    [](const auto& row) { return row.param.name; });

TEST(MaskedUrls, MasksUrlsWithinAText) {
  EXPECT_EQ(masked_urls("bad URL http://u:pw@h: no port, nor \"https://t@g\"; ask bob@mail.org"),
            "bad URL http://u:***@h: no port, nor \"https://***@g\"; ask bob@mail.org");
  EXPECT_EQ(masked_urls("no URL: a? b & c"), "no URL: a? b & c");
}

TEST(MaskedUrls, MasksPasswordsWithBlanksAndQuotes) {
  EXPECT_EQ(masked_urls("send to http://u:p w\"x@h/a: reset"), "send to http://u:***@h/a: reset");
  EXPECT_EQ(masked_urls("lookup http://h: no host\nmail bob@b.org"),
            "lookup http://h: no host\nmail bob@b.org");
  EXPECT_EQ(masked_urls("http://h is of bob@b.org"), "http://h is of bob@b.org");
}

TEST(MaskedUrls, HideWhatFollowsAHost) {
  EXPECT_EQ(masked_url_beyond_host("https://u:p@h:8/services/T0/B0?x=y#z"),
            "https://u:***@h:8/***");
  EXPECT_EQ(masked_url_beyond_host("https://h?key"), "https://h?***");
  EXPECT_EQ(masked_url_beyond_host("http://h/"), "http://h/");
  EXPECT_EQ(masked_url_beyond_host("http://h"), "http://h");
  EXPECT_EQ(masked_url_beyond_host("h/path"), "h/***");
  EXPECT_EQ(masked_url_beyond_host(""), "");
}

TEST(MaskedUrls, MasksALongTextOfMarksInLinearTime) {
  std::string marks;
  for (int i = 0; i < 1'000'000; ++i) marks += "://?&=";
  EXPECT_EQ(masked_urls(marks), marks);
}

}  // namespace
}  // namespace concerto
