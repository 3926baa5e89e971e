#include <gmock/gmock.h>

#include <concerto/protocol/site_guard.hpp>

#include "api/error_answers.hpp"

namespace concerto::net {
namespace {

constexpr const char* browser = "Mozilla/5.0 (X11; Linux x86_64)";

/// A request with these headers. An empty header is left out.
struct Asked {
  const char* method = "POST";
  const char* host = "10.0.0.5:36789";
  const char* origin = "";
  const char* site = "";  // Sec-Fetch-Site
  const char* referer = "";
  const char* agent = "";
  const char* type = "";  // Content-Type
};

struct GuardCase {
  const char* name;
  Asked asked;
  unsigned reading;   // the status of a request that reads; 0: it is let in
  unsigned changing;  // likewise, for a request that changes something
  const char* allowed_hosts = "";
};
void PrintTo(const GuardCase& row, std::ostream* out) {
  *out << row.name;
}

HttpRequest request_of(const Asked& asked) {
  HttpRequest request;
  request.method = asked.method;
  for (const auto& [name, value] :
       {std::pair{"Host", asked.host}, std::pair{"Origin", asked.origin},
        std::pair{"Sec-Fetch-Site", asked.site}, std::pair{"Referer", asked.referer},
        std::pair{"User-Agent", asked.agent}, std::pair{"Content-Type", asked.type}}) {
    if (value[0] != '\0') request.headers.add(name, value);
  }
  return request;
}

constexpr RouteNeeds read{RouteDeed::reads, RouteRole::viewers, RouteBrowser::any_page};
constexpr RouteNeeds change{RouteDeed::changes, RouteRole::clients, RouteBrowser::own_pages};

unsigned status_of(const std::optional<Refusal>& refusal) {
  return refusal ? http_answer(*refusal).status : 0;
}

class SiteGuardRule : public testing::TestWithParam<GuardCase> {};

TEST_P(SiteGuardRule, TellsPagesOfOtherSitesFromClients) {
  SiteGuardOptions options;
  options.own_name = "node1.b.org";
  options.allowed_hosts = host_list(GetParam().allowed_hosts);
  const SiteGuard guard{options};
  const HttpRequest request = request_of(GetParam().asked);
  EXPECT_EQ(status_of(guard.refuse(read, request)), GetParam().reading);
  EXPECT_EQ(status_of(guard.refuse(change, request)), GetParam().changing);
}

// Requests as the reference's clients send them: Go, Python, PHP, curl and Node, for any name of
// the host.
INSTANTIATE_TEST_SUITE_P(
    Clients, SiteGuardRule,
    testing::Values(
        GuardCase{"ByAddress", {.agent = "Go-http-client/1.1"}, 0, 0},
        GuardCase{"ByServiceName", {.host = "dtm:36789", .agent = "Go-http-client/1.1"}, 0, 0},
        GuardCase{"ByNameOfKubernetes", {.host = "dtm.ns.svc.cluster.local:36789"}, 0, 0},
        GuardCase{"ByNameOfALoadBalancer", {.host = "dtm.b.org", .agent = "curl/8.0"}, 0, 0},
        GuardCase{"GetByServiceName", {.method = "GET", .host = "dtm:36789"}, 0, 0},
        GuardCase{"WithoutHost", {.host = ""}, 0, 0},
        GuardCase{"ByAnAllowedName", {.host = "DTM.B.ORG:80"}, 0, 0, "dtm.b.org"},
        GuardCase{"ByANameBelowAnAllowedOne", {.host = "dtm.b.org"}, 0, 0, "x, .b.org"},
        GuardCase{"WhereEveryNameIsAllowed", {.host = "dtm"}, 0, 0, "*"},
        GuardCase{"ByAnotherNameThanTheAllowedOnes", {.host = "dtm"}, 403, 403, "dtm.b.org"},
        GuardCase{"ByTheNameThatSubdomainsAreAllowedOf", {.host = "b.org"}, 403, 403, ".b.org"},
        GuardCase{"ByAddressBesideAllowedNames", {}, 0, 0, "dtm.b.org"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OwnPages, SiteGuardRule,
    testing::Values(
        GuardCase{"Origin", {.origin = "http://10.0.0.5:36789", .agent = browser}, 0, 0},
        GuardCase{
            "OriginWithUsualPort", {.host = "10.0.0.5", .origin = "http://10.0.0.5:80"}, 0, 0},
        GuardCase{"Localhost", {.host = "localhost:1", .origin = "http://localhost:1"}, 0, 0},
        GuardCase{"Version6", {.host = "[::1]:1", .origin = "http://[::1]:1"}, 0, 0},
        GuardCase{"SecFetchSite", {.site = "same-origin", .agent = browser}, 0, 0},
        GuardCase{"BehindAProxyThatReplacesHost",
                  {.origin = "https://dtm.b.org", .site = "same-origin"},
                  0,
                  0,
                  "dtm.b.org"},
        GuardCase{"BehindAProxyThatDropsThePort",
                  {.host = "dtm.b.org", .origin = "https://dtm.b.org:8443"},
                  0,
                  0,
                  "dtm.b.org"},
        GuardCase{"OriginThatIsAllowed", {.origin = "https://dtm.b.org"}, 0, 0, "dtm.b.org"},
        GuardCase{"Typed", {.method = "GET", .site = "none", .agent = browser}, 0, 0},
        GuardCase{"Referer",
                  {.method = "GET", .referer = "http://10.0.0.5:36789/a", .agent = browser},
                  0,
                  0},
        GuardCase{
            "MachineName", {.host = "node1:1", .origin = "http://node1:1", .agent = browser}, 0, 0},
        GuardCase{"FullMachineName", {.host = "Node1.b.org.", .site = "same-origin"}, 0, 0}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OtherPages, SiteGuardRule,
    testing::Values(
        GuardCase{"Origin", {.origin = "http://evil.example"}, 0, 403},
        GuardCase{"OriginOfAFileOrSandbox", {.origin = "null"}, 0, 403},
        GuardCase{"OriginOfAnotherPort", {.origin = "http://10.0.0.5:3000"}, 0, 403},
        GuardCase{"OriginOfAnotherPortOfAnAllowedName",
                  {.host = "dtm.b.org:36789", .origin = "http://dtm.b.org:3000"},
                  0,
                  403,
                  "dtm.b.org"},
        GuardCase{"OriginOfTheUsualPortOfAnAllowedName",
                  {.host = "dtm.b.org:36789", .origin = "http://dtm.b.org"},
                  0,
                  403,
                  "dtm.b.org"},
        GuardCase{
            "OriginThatBeginsAlike", {.origin = "http://10.0.0.5:36789.evil.example"}, 0, 403},
        GuardCase{"OriginWhereHostMayBeAnyName", {.origin = "http://evil.example"}, 0, 403, "*"},
        GuardCase{"OriginWithoutScheme", {.origin = "10.0.0.5:36789"}, 0, 403},
        GuardCase{"SecFetchSite", {.site = "cross-site"}, 0, 403},
        GuardCase{"SecFetchSiteOfANeighbour", {.site = "same-site"}, 0, 403},
        GuardCase{"SecFetchSiteBesideAFittingOrigin",
                  {.origin = "http://10.0.0.5:36789", .site = "cross-site"},
                  0,
                  403},
        GuardCase{"OriginBesideAFittingSecFetchSite",
                  {.origin = "http://evil.example", .site = "same-origin"},
                  0,
                  403},
        GuardCase{"RefererBesideAFittingOrigin",
                  {.origin = "http://10.0.0.5:36789", .referer = "http://evil.example/"},
                  0,
                  403},
        GuardCase{"RefererBesideAFittingSecFetchSite",
                  {.method = "GET", .site = "same-origin", .referer = "http://evil.example/"},
                  0,
                  403},
        GuardCase{"OriginThatNamesAnAllowedNameAsUser",
                  {.origin = "https://dtm.b.org:x@evil.example"},
                  0,
                  403,
                  "dtm.b.org"},
        GuardCase{"Referer", {.referer = "http://evil.example/", .agent = browser}, 0, 403},
        GuardCase{"FormWithoutAMark", {.agent = browser}, 0, 403},
        GuardCase{"FormOfTextWithoutAMark", {.agent = browser, .type = "text/plain"}, 0, 403},
        GuardCase{"FormWithATypeThatBeginsAlike",
                  {.agent = browser, .type = "application/json-not"},
                  0,
                  403},
        GuardCase{"JsonWithoutAMark",
                  {.agent = browser, .type = "Application/JSON; charset=utf-8"},
                  0,
                  0},
        GuardCase{"ImageOrLinkWithoutAMark", {.method = "GET", .agent = browser}, 0, 403},
        GuardCase{
            "ReboundName", {.host = "evil.example:1", .origin = "http://evil.example:1"}, 403, 403},
        GuardCase{"ReadByAReboundName",
                  {.method = "GET", .host = "evil.example", .agent = browser},
                  403,
                  403},
        GuardCase{"ReboundNameLikeAnAddress",
                  {.host = "127.0.0.1.evil.example", .agent = browser},
                  403,
                  403},
        GuardCase{"ReboundNameLikeLocalhost", {.host = "xlocalhost", .agent = browser}, 403, 403},
        GuardCase{"ReboundNameBesideAllowedOnes", {.host = "evil.example"}, 403, 403, "dtm.b.org"}),
    [](const auto& row) { return row.param.name; });

TEST(SiteGuardHeaders, OneOfSeveralThatNamesAnotherSiteCounts) {
  const SiteGuard guard{SiteGuardOptions{}};
  const std::pair<const char*, std::pair<const char*, const char*>> rows[] = {
      {"Origin", {"http://10.0.0.5:36789", "http://evil.example"}},
      {"Sec-Fetch-Site", {"same-origin", "cross-site"}},
      {"Referer", {"http://10.0.0.5:36789/a", "http://evil.example/"}}};
  for (const auto& [name, values] : rows) {
    for (const bool foreign_first : {false, true}) {
      HttpRequest request = request_of({.agent = browser});
      request.headers.add(name, foreign_first ? values.second : values.first);
      EXPECT_EQ(status_of(guard.refuse(change, request)), foreign_first ? 403U : 0U);
      request.headers.add(name, foreign_first ? values.first : values.second);
      EXPECT_EQ(status_of(guard.refuse(change, request)), 403U) << name;
    }
  }
}

TEST(SiteGuardGet, ChangesNothingWhereThatIsSwitchedOff) {
  SiteGuardOptions options;
  options.get_may_change = false;
  const SiteGuard guard{options};
  const HttpRequest get = request_of({.method = "GET"});
  const auto refusal = guard.refuse(change, get);
  ASSERT_EQ(status_of(refusal), 405U);
  EXPECT_EQ(http_answer(*refusal).headers.find("Allow"), "POST");
  EXPECT_FALSE(guard.refuse(read, get));
  EXPECT_FALSE(guard.refuse(change, request_of({})));
}

TEST(HostList, HasNamesThatAHostFieldCanHave) {
  for (const char* text : {"", "dtm", " a.b , .c,,", "*", "10.0.0.1", "[::1]", "a_b.c."}) {
    EXPECT_TRUE(check_host_list(text)) << text;
  }
  for (const char* text : {"http://x/", "a b", "x:80", "*.b.org", "a/b", ".", "a..b", "[x]", "[",
                           "[::1]:80", "d\xc3\xa4.org"}) {
    const auto checked = check_host_list(std::string("a.b,") + text);
    ASSERT_FALSE(checked) << text;
    EXPECT_THAT(checked.error().detail, testing::EndsWith(std::string("found '") + text + "'"));
  }
}

TEST(HostList, RefusesAnAddressThatANulCharacterEnds) {
  EXPECT_FALSE(check_host_list(std::string_view("[::1\0x]", 7)));
}

TEST(HostList, IsSplitAtCommas) {
  EXPECT_THAT(host_list(" a.b , .c,,"), testing::ElementsAre("a.b", ".c"));
  EXPECT_TRUE(host_list("").empty());
}

}  // namespace
}  // namespace concerto::net
