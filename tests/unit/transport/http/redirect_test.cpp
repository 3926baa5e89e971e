#include "http/redirect.hpp"

#include <gmock/gmock.h>

#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct RedirectCase {
  const char* name;
  const char* method;
  unsigned status;
  const char* new_method;  // null: the redirect is not followed
  bool keeps_body;
};
void PrintTo(const RedirectCase& row, std::ostream* out) {
  *out << row.name;
}

class RedirectRule : public testing::TestWithParam<RedirectCase> {};

TEST_P(RedirectRule, ChangesTheRequest) {
  const RedirectCase& row = GetParam();
  HttpClientRequest request;
  request.method = row.method;
  request.url = "http://b/a?gid=1";
  request.body = "body";
  request.headers.add("content-type", "application/json");
  request.headers.add("x", "y");
  HttpClientResponse response;
  response.status = row.status;
  response.headers.add("Location", "/c");
  ASSERT_EQ(follow_redirect(request, response, false), row.new_method != nullptr);
  if (row.new_method == nullptr) return;
  EXPECT_EQ(request.method, row.new_method);
  EXPECT_EQ(request.url, "http://b/c");
  EXPECT_EQ(request.body, row.keeps_body ? "body" : "");
  EXPECT_EQ(request.headers.contains("Content-Type"), row.keeps_body);
  EXPECT_TRUE(request.headers.contains("x"));
}

INSTANTIATE_TEST_SUITE_P(Table, RedirectRule,
                         testing::Values(RedirectCase{"Moved", "POST", 301, "GET", false},
                                         RedirectCase{"Found", "POST", 302, "GET", false},
                                         RedirectCase{"SeeOther", "POST", 303, "GET", false},
                                         RedirectCase{"HeadStays", "HEAD", 302, "HEAD", false},
                                         RedirectCase{"Temporary", "POST", 307, "POST", true},
                                         RedirectCase{"Permanent", "POST", 308, "POST", true},
                                         RedirectCase{"GetStays", "GET", 307, "GET", true},
                                         RedirectCase{"Choices", "POST", 300, nullptr, false},
                                         RedirectCase{"NotModified", "GET", 304, nullptr, false},
                                         RedirectCase{"Success", "POST", 200, nullptr, false}),
                         [](const auto& row) { return row.param.name; });

struct SecretCase {
  const char* name;
  const char* from;
  const char* location;
  bool keeps;
  bool keeps_host;
};
void PrintTo(const SecretCase& row, std::ostream* out) {
  *out << row.name;
}

class RedirectSecrets : public testing::TestWithParam<SecretCase> {
 protected:
  static HttpHeaders redirected(bool carries_headers) {
    HttpClientRequest request;
    request.url = GetParam().from;
    for (const char* name :
         {"authorization", "Cookie", "x-api-key", "X-Tenant", "Host", "Content-Type"}) {
      request.headers.add(name, "v");
    }
    HttpClientResponse response;
    response.status = 307;
    response.headers.add("Location", GetParam().location);
    EXPECT_TRUE(follow_redirect(request, response, carries_headers));
    return request.headers;
  }
};

TEST_P(RedirectSecrets, StayWithTheirHost) {
  const HttpHeaders headers = redirected(false);
  EXPECT_EQ(headers.contains("Authorization"), GetParam().keeps);
  EXPECT_EQ(headers.contains("Cookie"), GetParam().keeps);
  EXPECT_EQ(headers.contains("X-Tenant"), GetParam().keeps);
  EXPECT_EQ(headers.contains("Host"), GetParam().keeps_host);
  EXPECT_TRUE(headers.contains("Content-Type"));
}

TEST_P(RedirectSecrets, StayAloneWhenOtherHeadersAreCarried) {
  const HttpHeaders headers = redirected(true);
  EXPECT_EQ(headers.contains("Authorization"), GetParam().keeps);
  EXPECT_EQ(headers.contains("Cookie"), GetParam().keeps);
  EXPECT_EQ(headers.contains("X-Api-Key"), GetParam().keeps);
  EXPECT_TRUE(headers.contains("X-Tenant"));
  EXPECT_EQ(headers.contains("Host"), GetParam().keeps_host);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RedirectSecrets,
    testing::Values(SecretCase{"SameHost", "http://b/a", "/c", true, true},
                    SecretCase{"SameHostOtherCase", "http://b/a", "http://B/c", true, true},
                    SecretCase{"OtherPort", "http://b/a", "http://b:81/c", true, false},
                    SecretCase{"Upgrade", "http://b/a", "https://b/c", true, false},
                    SecretCase{"Downgrade", "https://b/a", "http://b/c", false, false},
                    SecretCase{"OtherHost", "http://b/a", "http://c/", false, false},
                    SecretCase{"OtherHostOfTheScheme", "http://b/a", "//c/", false, false},
                    SecretCase{"Suffix", "http://b.org/a", "http://evil-b.org/", false, false},
                    SecretCase{"Below", "http://b.org/a", "http://x.b.org/", false, false},
                    SecretCase{"BadUrl", "http://b/a", "ftp://b/", false, false}),
    [](const auto& row) { return row.param.name; });

TEST(RedirectRule, NeedsALocation) {
  HttpClientRequest request;
  request.url = "http://b/a";
  HttpClientResponse response;
  response.status = 302;
  EXPECT_FALSE(follow_redirect(request, response, false));
}

class HttpClientRedirects : public ClientTest {};

TEST_F(HttpClientRedirects, AreFollowedOnTheSameConnection) {
  ScriptedServer server{executor()};
  const auto answer = start_post(server.url("/a?gid=1"), "body");
  run_until([&] { return server.size() == 1 && server[0].has("body"); });
  server[0].forget_received();
  server[0].send("HTTP/1.1 307 T\r\nLocation: b?x\r\nContent-Length: 2\r\n\r\nxx");
  run_until([&] { return server[0].has("body"); });
  EXPECT_THAT(server[0].received(), StartsWith("POST /b?x HTTP/1.1\r\n"));
  server[0].forget_received();
  server[0].send("HTTP/1.1 302 F\r\nLocation: /c\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return server[0].has("\r\n\r\n"); });
  EXPECT_THAT(server[0].received(), StartsWith("GET /c HTTP/1.1\r\n"));
  EXPECT_THAT(server[0].received(), Not(HasSubstr("Content-Length")));
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
  EXPECT_EQ(finish(answer)->body, "end");
  EXPECT_EQ(server.size(), 1U);
}

TEST_F(HttpClientRedirects, EndAfterTen) {
  ScriptedServer server{executor()};
  const auto answer = start_get(server.url("/"));
  for (int i = 0; i < 11; ++i) {
    run_until([&] { return server.size() == 1 && server[0].has("\r\n\r\n"); });
    EXPECT_FALSE(answer->has_value());
    server[0].forget_received();
    server[0].send("HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
  }
  EXPECT_EQ(finish(answer).error().code, HttpErrc::too_many_redirects);
}

TEST_F(HttpClientRedirects, ToAnotherSchemeFail) {
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(finish(answer).error().code, HttpErrc::unsupported_scheme);
}

}  // namespace
}  // namespace concerto::net::test
