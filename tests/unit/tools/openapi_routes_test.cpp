// The paths that are described are the paths that are served.

#include <regex>
#include <set>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <concerto/protocol/api_http.hpp>

#include "admin_path.hpp"
#include "backup_pages.hpp"
#include "coordinator_world.hpp"
#include "ops_pages.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;

std::vector<std::string> nothing_wrong() {
  return {};
}

std::vector<std::string> nothing_to_tell(bool /*for_operator*/) {
  return {};
}

Task<std::string> no_metrics() {
  co_return "";
}

class OpenApiRoutes : public testing::Test {
 protected:
  OpenApiRoutes() {
    http_api_.register_on(router_);
    pages_.register_on(router_);
  }

  net::HttpResponse get(const std::string& path) { return get(router_, path); }
  net::HttpResponse get(const net::GatedRouter& router, const std::string& path) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = path;
    return **world_.start(router.route(std::move(request)));
  }

  test::FakeClock clock_;
  test::SeededRandom random_{1};
  persist::MemoryStore store_;
  test::ScriptedBranches branches_;
  test::CoordinatorWorld world_{store_, clock_, branches_};
  const net::Gate gate_;
  net::HttpApi http_api_{world_.coordinator(), gate_, random_, clock_};
  BackupPages backups_{store_, "memory", "", clock_, [](LogLevel, const std::string&) {}};
  OpsPages pages_{{no_metrics, nothing_wrong, nothing_to_tell, nothing_to_tell, "",
                   net::RouteRole::viewers, &backups_}};
  net::GatedRouter router_{gate_, clock_};
};

/// `GET /path` of everything that the router serves; `X/` behind `X` is only a redirect.
std::set<std::string> served(const net::GatedRouter& router) {
  std::set<std::string> paths, result;
  for (const auto& route : router.routes()) paths.insert(route.path);
  for (const auto& route : router.routes()) {
    std::string path = route.path;
    const bool redirects = path.size() > 1 && path.ends_with('/') && !route.is_prefix &&
                           paths.contains(path.substr(0, path.size() - 1));
    if (redirects) continue;
    if (route.is_prefix) path += "*";
    result.insert(route.method + " " + path);
  }
  return result;
}

std::set<std::string> described(const json::value& document) {
  std::set<std::string> result;
  for (const auto& path : document.at("paths").as_object()) {
    const json::object& operations = path.value().as_object();
    const std::string served_path =
        std::regex_replace(std::string(path.key()), std::regex(R"(\{[^}]*\})"), "*");
    if (operations.contains("x-any-method")) {
      result.insert("* " + served_path);
      continue;
    }
    for (const char* method : {"get", "post", "delete", "put", "head", "options", "patch"}) {
      if (!operations.contains(method)) continue;
      result.insert(boost::algorithm::to_upper_copy(std::string(method)) + " " + served_path);
    }
  }
  return result;
}

TEST_F(OpenApiRoutes, AreThoseOfTheRouter) {
  const net::HttpResponse document = get("/api/openapi.json");
  ASSERT_EQ(document.status, 200U);
  EXPECT_EQ(described(json::parse(document.body)), served(router_));
}

/// A route that somebody adds by a row, and does not describe.
TEST_F(OpenApiRoutes, LackARouteThatIsOnlyServed) {
  net::RouteTable routes = net::RouteTable::standard();
  routes.add({"/api/shop/order", "POST", "", "", net::RouteDeed::changes, net::RouteRole::clients,
              net::RouteBrowser::own_pages, &Coordinator::submit});
  net::HttpApi with_order{world_.coordinator(), gate_, random_, clock_, {}, routes};
  net::GatedRouter router{gate_, clock_};
  with_order.register_on(router);
  pages_.register_on(router);
  std::set<std::string> found = served(router);
  EXPECT_EQ(found.erase("POST /api/shop/order"), 1U);
  EXPECT_EQ(found, described(json::parse(get("/api/openapi.json").body)));
}

TEST_F(OpenApiRoutes, AreAllGuardedAndSayIfATransactionGoesOn) {
  const json::value document = json::parse(get("/api/openapi.json").body);
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      const json::object* members = operation.value().if_object();
      if (members == nullptr || !members->contains("responses")) continue;
      EXPECT_TRUE(members->at("responses").as_object().contains("403")) << path.key();
    }
  }
  const json::value& responses = document.at("components").at("responses");
  for (const char* name : {"Failure", "Ongoing", "Error", "Unavailable"}) {
    EXPECT_TRUE(responses.at(name).at("headers").as_object().contains("Concerto-Outcome")) << name;
  }
}

/// AdminBasePath is checked against them before anything serves.
TEST_F(OpenApiRoutes, AreKnownWhereTheConfigurationIsChecked) {
  std::set<std::string> beside_the_admin_page;
  for (const std::string& route : served(router_)) {
    const std::string path = route.substr(route.find(' ') + 1);
    if (path != "/" && path != "/admin/*") beside_the_admin_page.insert(path);
  }
  const auto known = served_paths();
  EXPECT_EQ(std::set<std::string>(known.begin(), known.end()), beside_the_admin_page);
}

TEST_F(OpenApiRoutes, ConsoleIsToldTheModesToChooseFrom) {
  const json::value facts = json::parse(get("/admin/console.json").body);
  std::set<std::string> modes, wanted;
  for (const json::value& mode : facts.at("modes").as_array()) modes.emplace(mode.as_string());
  for (const Mode* mode : ModeTable::standard().all()) wanted.emplace(mode->name);
  EXPECT_EQ(modes, wanted);
  EXPECT_TRUE(facts.at("operator").as_bool());
}

TEST_F(OpenApiRoutes, ConsoleIsToldWhatItsCallerMayDo) {
  for (const auto& [roles, viewer, operates] :
       {std::tuple{net::RoleSet::all(), true, true},
        {net::RoleSet{net::RouteRole::viewers}, true, false},
        {net::RoleSet{net::RouteRole::clients}, false, false}}) {
    net::GateOptions options;
    options.roles = roles;
    const net::Gate gate{options};
    net::GatedRouter router{gate, clock_};
    pages_.register_on(router);
    const json::value facts = json::parse(get(router, "/admin/console.json").body);
    EXPECT_EQ(facts.at("viewer").as_bool(), viewer);
    EXPECT_EQ(facts.at("operator").as_bool(), operates);
  }
}

TEST_F(OpenApiRoutes, HaveNoConsoleIfItIsSwitchedOff) {
  OpsPages pages{{no_metrics, nothing_wrong, nothing_to_tell, nothing_to_tell, std::nullopt}};
  net::GatedRouter router{gate_, clock_};
  pages.register_on(router);
  EXPECT_EQ(get(router, "/").status, 404U);
  EXPECT_EQ(get(router, "/admin/page.js").status, 404U);
  EXPECT_EQ(get(router, "/livez").status, 200U);
}

TEST_F(OpenApiRoutes, PackTheConsoleForThoseWhoAcceptIt) {
  for (const auto& [accepted, packed] : {std::pair{"gzip, deflate, br", true},
                                         {"br,GZIP", true},
                                         {"identity", false},
                                         {"gzip;q=0", false},
                                         {"", false}}) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/admin/page.css";
    request.headers.add("Accept-Encoding", accepted);
    const net::HttpResponse answer = **world_.start(router_.route(std::move(request)));
    EXPECT_EQ(answer.headers.contains("Content-Encoding"), packed) << accepted;
    EXPECT_EQ(answer.body.starts_with("\x1f\x8b"), packed) << accepted;
    EXPECT_EQ(answer.headers.find("Vary"), "Accept-Encoding");
  }
}

TEST_F(OpenApiRoutes, AnswerProbesWithWhatIsWrong) {
  OpsPages broken{{no_metrics, [] { return std::vector<std::string>{"stuck"}; },
                   [](bool) {
                     return std::vector<std::string>{"stuck", "slow"};
                   },
                   nothing_to_tell, "/dtm"}};
  net::GatedRouter router{gate_, clock_};
  broken.register_on(router);
  EXPECT_EQ(get("/livez").body, R"({"status":"ok"})");
  EXPECT_EQ(get(router, "/livez").status, 503U);
  EXPECT_EQ(get(router, "/livez").body, R"({"status":"not live","reasons":["stuck"]})");
  EXPECT_EQ(get(router, "/readyz").body, R"({"status":"not ready","reasons":["stuck","slow"]})");
  EXPECT_EQ(get(router, "/").status, 404U);
  EXPECT_EQ(get(router, "/dtm/").status, 200U);
  EXPECT_EQ(get(router, "/dtm/admin/any/view").content_type, "text/html; charset=utf-8");
}

TEST_F(OpenApiRoutes, TellThatACoordinatorWasStartedPaused) {
  bool paused = true;
  OpsPages::Sources sources{no_metrics, nothing_wrong,
                            [](bool) { return std::vector<std::string>{"started paused"}; },
                            nothing_to_tell, ""};
  sources.paused = [&paused] { return paused; };
  OpsPages pages{sources};
  net::GatedRouter router{gate_, clock_};
  pages.register_on(router);
  EXPECT_EQ(get(router, "/readyz").body,
            R"({"status":"not ready","reasons":["started paused"],"paused":true})");
  EXPECT_EQ(get(router, "/livez").body, R"({"status":"ok"})");
  paused = false;
  EXPECT_EQ(get(router, "/readyz").body, R"({"status":"not ready","reasons":["started paused"]})");
}

TEST_F(OpenApiRoutes, TellTheWordsOfTheStoreToOperatorsAlone) {
  const auto words = [](bool for_operator) {
    return std::vector<std::string>{for_operator ? "user dba at db.internal" : "the store is away"};
  };
  OpsPages away{{no_metrics, nothing_wrong, words, words, ""}};
  for (const auto& [roles, told] : {std::pair{net::RoleSet::all(), "user dba at db.internal"},
                                    {net::RoleSet{net::RouteRole::viewers}, "the store is away"},
                                    {net::RoleSet{}, "the store is away"}}) {
    net::GateOptions options;
    options.roles = roles;
    const net::Gate gate{options};
    net::GatedRouter router{gate, clock_};
    away.register_on(router);
    EXPECT_EQ(get(router, "/readyz").body, R"({"status":"not ready","reasons":[")" +
                                               std::string(told) + R"("],"warnings":[")" + told +
                                               R"("]})");
  }
}

}  // namespace
}  // namespace concerto::tools
