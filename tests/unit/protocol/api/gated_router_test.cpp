#include <gtest/gtest.h>

#include <concerto/protocol/gated_router.hpp>

#include "fake_clock.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
using enum RouteDeed;
using enum RouteRole;
using enum RouteBrowser;

constexpr RouteNeeds look{reads, viewers, any_page};
constexpr RouteNeeds change{changes, clients, own_pages};
constexpr RouteNeeds operate{operates, operators, own_pages};

Task<HttpResponse> answer_200() {
  co_return HttpResponse{};
}

class GatedRouterTest : public testing::Test {
 protected:
  GatedRouterTest() {
    const RouteHandler handler = [this](HttpRequest, RequestContext context) {
      ++calls_;
      deadline_ = context.deadline;
      return answer_200();
    };
    router_.add("POST", "/submit", change, handler);
    router_.add("GET", "/subscribe", operate, handler);
    router_.add("GET", "/query", look, handler);
    router_.add_prefix("DELETE", "/topic/", operate, handler);
    router_.add_prefix("GET", "/files/", operate, handler);
  }

  unsigned status(const char* method, const char* path, const char* origin = "",
                  const char* prefer = "", const char* host = "localhost") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers.add("Host", host);
    if (origin[0] != '\0') request.headers.add("Origin", origin);
    if (prefer[0] != '\0') request.headers.add("Prefer", prefer);
    unsigned result = 0;
    asio::co_spawn(
        io_, router_.route(std::move(request)),
        [&result](const std::exception_ptr&, const HttpResponse& got) { result = got.status; });
    io_.restart();
    io_.run();
    return result;
  }

  asio::io_context io_{1};
  concerto::test::FakeClock clock_;
  const Gate gate_;
  GatedRouter router_{gate_, clock_};
  int calls_ = 0;
  SteadyTime deadline_;
};

TEST_F(GatedRouterTest, AsksTheGateWithTheNeedsOfTheRoute) {
  EXPECT_EQ(status("POST", "/submit", "http://evil.example"), 403U);
  EXPECT_EQ(status("GET", "/subscribe", "http://evil.example"), 403U);
  EXPECT_EQ(status("DELETE", "/topic/t", "http://evil.example"), 403U);
  EXPECT_EQ(status("GET", "/files/f", "http://evil.example"), 403U);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(status("GET", "/query", "http://evil.example"), 200U);
  EXPECT_EQ(status("POST", "/submit"), 200U);
  EXPECT_EQ(status("GET", "/nope", "http://evil.example"), 404U);
  EXPECT_EQ(calls_, 2);
}

TEST_F(GatedRouterTest, AnswersHeadWhereTheGetOnlyReads) {
  EXPECT_EQ(status("HEAD", "/query"), 200U);
  EXPECT_EQ(status("HEAD", "/subscribe"), 404U);
  EXPECT_EQ(status("HEAD", "/files/f"), 404U);
}

TEST_F(GatedRouterTest, GatesAFallbackOfItsOwnToo) {
  router_.set_fallback([this](HttpRequest, RequestContext) {
    ++calls_;
    return answer_200();
  });
  EXPECT_EQ(status("GET", "/nope", "http://evil.example", "", "evil.example"), 403U);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(status("GET", "/nope"), 200U);
  EXPECT_EQ(calls_, 1);
}

TEST_F(GatedRouterTest, PassesTheContextOfTheRequestOn) {
  EXPECT_EQ(status("POST", "/submit", "", "wait=2"), 200U);
  EXPECT_EQ(deadline_, clock_.steady_now() + 2s);
  EXPECT_EQ(status("POST", "/submit"), 200U);
  EXPECT_EQ(deadline_, SteadyTime::max());
}

TEST_F(GatedRouterTest, EndsTheWaitingAfterTheMaximum) {
  router_.set_wait_max(5s);
  status("POST", "/submit");
  EXPECT_EQ(deadline_, clock_.steady_now() + 5s);
  status("POST", "/submit", "", "wait=60");
  EXPECT_EQ(deadline_, clock_.steady_now() + 5s);
  status("POST", "/submit", "", "wait=2");
  EXPECT_EQ(deadline_, clock_.steady_now() + 2s) << "the client may wait for less";
  router_.set_wait_max(0s);
  status("POST", "/submit");
  EXPECT_EQ(deadline_, SteadyTime::max());
}

}  // namespace
}  // namespace concerto::net
