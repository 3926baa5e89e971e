// What a build without the web console (-DCONCERTO_CONSOLE=OFF) serves in its place: the page in
// tools/console/absent.

#include <regex>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "console_pages.hpp"
#include "fake_clock.hpp"

namespace concerto::tools {
namespace {

class AbsentConsole : public testing::Test {
 protected:
  AbsentConsole() { pages_.register_on(router_); }

  net::HttpResponse get(const std::string& path) { return get(router_, path); }
  static net::HttpResponse get(const net::GatedRouter& router, const std::string& path) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = path;
    asio::io_context io{1};
    net::HttpResponse answer;
    const auto keep = [](Task<net::HttpResponse> asked, net::HttpResponse& to) -> Task<void> {
      to = co_await std::move(asked);
    };
    asio::co_spawn(io, keep(router.route(std::move(request)), answer),
                   [](const std::exception_ptr&) {});
    io.run();
    return answer;
  }

  test::FakeClock clock_;
  const net::Gate gate_;
  ConsolePages pages_{"/dtm", [] { return std::string("cc-1"); }};
  net::GatedRouter router_{gate_, clock_};
};

TEST_F(AbsentConsole, SaysSoAtEveryView) {
  for (const char* path :
       {"/dtm/", "/dtm/admin/", "/dtm/admin/transaction/g", "/dtm/admin/global-transactions/all"}) {
    const net::HttpResponse page = get(path);
    EXPECT_EQ(page.status, 200U) << path;
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(page.body, testing::HasSubstr("without its web console"));
    EXPECT_THAT(page.body, testing::HasSubstr("CONCERTO_CONSOLE=OFF"));
  }
}

TEST_F(AbsentConsole, HasAllThatItsPageNames) {
  const std::string page = get("/dtm/").body;
  EXPECT_THAT(page, testing::Not(testing::HasSubstr("CONCERTO-BASE")));
  const std::regex link(R"((?:href|src)="([^"]+)\")");
  std::size_t found = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), link), end; at != end; ++at) {
    const std::string path = (*at)[1];
    if (path.starts_with("/api/")) continue;  // Other pages serve these.
    EXPECT_TRUE(path.starts_with("/dtm/admin/")) << path;
    const net::HttpResponse part = get(path);
    EXPECT_EQ(part.status, 200U) << path;
    EXPECT_EQ(part.content_type,
              path.ends_with(".css") ? "text/css; charset=utf-8" : "image/svg+xml");
    ++found;
  }
  EXPECT_EQ(found, 2U);
  EXPECT_EQ(get("/dtm/admin/page.js").content_type, "text/javascript; charset=utf-8");
  // The policy forbids what is inline.
  EXPECT_FALSE(std::regex_search(page, std::regex(R"(<script>|<style|style=|onclick=)")));
}

TEST_F(AbsentConsole, TellsViewersAloneWhoTheCoordinatorIs) {
  const std::string facts = "/dtm/admin/console.json";
  EXPECT_THAT(get(facts).body, testing::HasSubstr(R"("node":"cc-1")"));
  net::GateOptions options;
  options.roles = net::RoleSet{};
  const net::Gate closed{options};
  net::GatedRouter router{closed, clock_};
  pages_.register_on(router);
  EXPECT_THAT(get(router, facts).body, testing::HasSubstr(R"("viewer":false)"));
  EXPECT_THAT(get(router, facts).body, testing::Not(testing::HasSubstr("cc-1")));
}

}  // namespace
}  // namespace concerto::tools
