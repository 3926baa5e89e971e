// New routes take one file and one row each (docs/extending.md): this file has all of them. One row
// names a function of the coordinator, which the front ends serve without further code; the other
// row has its own handler.

#include <utility>

#include <gmock/gmock.h>

#include <concerto/protocol/route_table.hpp>
#include <concerto/transport/http_message.hpp>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;

Task<HttpResponse> count_boxes(HttpRequest request, RequestContext context) {
  const std::string shelf{request.query_value("shelf").value_or("every shelf")};
  const bool is_known = context.peer.is_set();
  co_return json_response(200, R"({"boxes":7,"shelf":")" + shelf + R"(","peer_is_known":)" +
                                   (is_known ? "true" : "false") + "}");
}

const RouteTable& own_routes() {
  using enum RouteDeed;
  using enum RouteRole;
  using enum RouteBrowser;
  static const RouteTable table = [] {
    RouteTable routes = RouteTable::standard();
    routes.add({"/api/shop/order", "POST", "order", "", changes, clients, own_pages,
                &Coordinator::submit});
    routes.add(
        {"/api/shop/boxes", "GET", "", "", reads, viewers, any_page, RouteHandler{count_boxes}});
    return routes;
  }();
  return table;
}

std::string rpc_call(const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
}

class OwnRoute : public ApiTest {
 protected:
  explicit OwnRoute(GateOptions options = GateOptions{})
      : ApiTest({}, std::move(options), own_routes()) {}

  HttpAnswer order(const std::string& gid) {
    return http("POST", "/api/shop/order", json_request(gid, "saga", 1));
  }
  HttpAnswer order_by_rpc(const std::string& gid) {
    return http("POST", "/api/json-rpc", rpc_call("order", json_request(gid, "saga", 1)));
  }
};

TEST_F(OwnRoute, IsServedByEachFrontEndThatItsRowNames) {
  const HttpAnswer ordered = order("g");
  EXPECT_EQ(ordered.status, 200U);
  EXPECT_EQ(ordered.body, R"({"dtm_result":"SUCCESS"})");
  EXPECT_EQ(status_of("g"), "succeed");
  EXPECT_THAT(order_by_rpc("h").body, HasSubstr(R"("error":null)"));
  EXPECT_EQ(status_of("h"), "succeed");
  EXPECT_EQ(get("/api/shop/order").status, 404U) << "the row has no GET";
}

TEST_F(OwnRoute, MayBringItsHandler) {
  EXPECT_EQ(get("/api/shop/boxes?shelf=top").body,
            R"({"boxes":7,"shelf":"top","peer_is_known":true})");
}

TEST_F(OwnRoute, HasWhatEveryRouteHas) {
  EXPECT_EQ(http("POST", "/api/shop/order/", "{}").status, 307U);
  EXPECT_EQ(order("g").status, 200U);
  EXPECT_EQ(order("").status, 500U);
  const ApiProbe::Entry& orders = http_api_.probe().entries().at("order");
  EXPECT_EQ(orders.ok.value(), 1U);
  EXPECT_EQ(orders.failed.value(), 1U);
  // The routes of the protocol are still there.
  EXPECT_EQ(post("submit", json_request("h", "saga", 1)).status, 200U);
}

/// The gate lets only viewers in.
class OwnRouteForViewers : public OwnRoute {
 protected:
  OwnRouteForViewers() : OwnRoute(only_viewers()) {}

  static GateOptions only_viewers() {
    GateOptions options;
    options.roles = {RouteRole::viewers};
    return options;
  }
};

TEST_F(OwnRouteForViewers, IsLetInByTheGateAsItsRowSays) {
  EXPECT_EQ(get("/api/shop/boxes").status, 200U);
  EXPECT_EQ(order("g").status, 403U);
  EXPECT_THAT(order_by_rpc("g").body, HasSubstr("this request is for clients only"));
  EXPECT_EQ(status_of("g"), "unknown");
}

TEST(OwnRoutes, NeedNamesThatAreFree) {
  RouteTable routes = own_routes();
  Route second = *routes.find_rpc("order");
  second.path = "/api/shop/order-again";
  EXPECT_DEATH(routes.add(second), "share_a_name");
  second.rpc = {};
  routes.add(second);
  EXPECT_EQ(routes.rows().size(), own_routes().rows().size() + 1);
}

TEST(OwnRoutes, OfAHandlerAreOfferedByHttpAlone) {
  RouteTable routes = RouteTable::standard();
  EXPECT_DEATH(routes.add({"/api/shop/boxes", "GET", "boxes", "", RouteDeed::reads,
                           RouteRole::viewers, RouteBrowser::any_page, RouteHandler{count_boxes}}),
               "only_http");
}

}  // namespace
}  // namespace concerto::net::test
