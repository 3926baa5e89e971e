// Which requests the gate lets in at each front end, by the needs of the route.

#include <ostream>
#include <variant>

#include <gmock/gmock.h>

#include <concerto/protocol/gate.hpp>

#include "api/error_answers.hpp"
#include "api/rpc_action.hpp"
#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using enum RouteDeed;
using enum RouteRole;
using enum RouteBrowser;
using testing::HasSubstr;

constexpr RouteNeeds probe_needs{reads, anyone, any_page};
constexpr RouteNeeds look_needs{reads, viewers, any_page};
constexpr RouteNeeds submit_needs{changes, clients, own_pages};
constexpr RouteNeeds stop_needs{operates, operators, own_pages};

GateOptions with_roles(RoleSet roles) {
  GateOptions options;
  options.roles = roles;
  return options;
}

struct RoleCase {
  const char* name;
  RoleSet roles;
  RouteNeeds needs;
  bool is_let_in;
};
void PrintTo(const RoleCase& row, std::ostream* out) {
  *out << row.name;
}

class GateRole : public testing::TestWithParam<RoleCase> {};

TEST_P(GateRole, IsNeededInEachFrontEnd) {
  const Gate gate{with_roles(GetParam().roles)};
  const RouteNeeds& needs = GetParam().needs;
  RequestContext context;
  HttpRequest request;
  request.method = "POST";
  EXPECT_EQ(!gate.refuse_http(needs, context, request), GetParam().is_let_in);
  EXPECT_EQ(!gate.refuse_rpc(needs, context, request.headers), GetParam().is_let_in);
  EXPECT_EQ(!gate.refuse_grpc(needs, context, GrpcMetadata{}), GetParam().is_let_in);
}

INSTANTIATE_TEST_SUITE_P(
    Callers, GateRole,
    testing::Values(RoleCase{"NoRoleForAProbe", {}, probe_needs, true},
                    RoleCase{"NoRoleForALook", {}, look_needs, false},
                    RoleCase{"ViewerForALook", {viewers}, look_needs, true},
                    RoleCase{"ViewerForAProbe", {viewers}, probe_needs, true},
                    RoleCase{"ViewerForASubmit", {viewers}, submit_needs, false},
                    RoleCase{"ClientForASubmit", {clients}, submit_needs, true},
                    RoleCase{"ClientForAStop", {clients}, stop_needs, false},
                    RoleCase{"OperatorForAStop", {operators}, stop_needs, true},
                    RoleCase{"OperatorForASubmit", {operators}, submit_needs, false},
                    RoleCase{"OneOfTwoRoles", {clients, operators}, stop_needs, true},
                    RoleCase{"AllForALook", RoleSet::all(), look_needs, true},
                    RoleCase{"AllForASubmit", RoleSet::all(), submit_needs, true},
                    RoleCase{"AllForAStop", RoleSet::all(), stop_needs, true}),
    [](const auto& row) { return row.param.name; });

TEST(Gate, LetsAClientInToEachRouteUnlessToldOtherwise) {
  const Gate gate;
  RequestContext context;
  for (const Route& route : RouteTable::standard().rows()) {
    for (const char* method : {"GET", "POST", "DELETE"}) {
      HttpRequest request;
      request.method = method;
      EXPECT_FALSE(gate.refuse_http(route.needs(), context, request)) << method << route.path;
    }
    EXPECT_FALSE(gate.refuse_rpc(route.needs(), context, HttpHeaders{})) << route.rpc;
    EXPECT_FALSE(gate.refuse_grpc(route.needs(), context, GrpcMetadata{})) << route.grpc;
  }
}

/// A request that has several reasons to be refused, and the reason in its answer.
struct OrderCase {
  const char* name;
  const char* method;
  const char* host;
  const char* origin;
  RouteNeeds needs;
  unsigned status;
  const char* told;
};
void PrintTo(const OrderCase& row, std::ostream* out) {
  *out << row.name;
}

class GateOfHttp : public testing::TestWithParam<OrderCase> {};

TEST_P(GateOfHttp, TellsTheFirstReason) {
  GateOptions options = with_roles({});
  options.sites.get_may_change = false;
  const Gate gate{options};
  HttpRequest request;
  request.method = GetParam().method;
  request.headers.add("Host", GetParam().host);
  request.headers.add("Origin", GetParam().origin);
  RequestContext context;
  const auto refusal = gate.refuse_http(GetParam().needs, context, request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(http_answer(*refusal).status, GetParam().status);
  EXPECT_THAT(refusal->sentence, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, GateOfHttp,
    testing::Values(OrderCase{"NameOfTheServer", "GET", "evil.example", "http://evil.example",
                              stop_needs, 403, "Host \"evil.example\" is no name of this server"},
                    OrderCase{"MethodBeforePage", "GET", "localhost", "http://evil.example",
                              stop_needs, 405, "GET changes nothing here"},
                    OrderCase{"PageBeforeRole", "POST", "localhost", "http://evil.example",
                              stop_needs, 403, "for a page of another site"},
                    OrderCase{"Role", "POST", "localhost", "http://localhost", stop_needs, 403,
                              "this request is for operators only"},
                    OrderCase{"RoleOfAReadFromAnyPage", "GET", "localhost", "http://evil.example",
                              look_needs, 403, "this request is for viewers only"}),
    [](const auto& row) { return row.param.name; });

/// The front ends with a gate that lets only viewers in.
class OnlyViewers : public ApiTest {
 protected:
  OnlyViewers() : ApiTest({}, with_roles({viewers})) {}
};

TEST_F(OnlyViewers, AreRefusedOverHttp) {
  const HttpAnswer refused = post("submit", json_request("g", "saga", 1));
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.body, R"({"message":"this request is for clients only"})");
  EXPECT_EQ(post("forceStop", R"({"gid":"g"})").status, 403U);
  EXPECT_EQ(post("submit/", "{}").status, 403U) << "before the redirect";
  EXPECT_EQ(get("/api/dtmsvr/query?gid=g").status, 200U);
  EXPECT_EQ(get("/api/ping").status, 200U);
  EXPECT_EQ(get("/nope").status, 404U);
  EXPECT_EQ(store_.commits(), 0U);
  const ApiProbe::Entry& counted = http_api_.probe().entries().at("submit");
  EXPECT_EQ(counted.ok.value() + counted.failed.value(), 0U) << "what is refused is not counted";
}

TEST_F(OnlyViewers, AreRefusedOverGrpc) {
  const GrpcReply refused = grpc("Submit", dtm_request("g", "saga", 1));
  EXPECT_EQ(refused.status.code, GrpcCode::permission_denied);
  EXPECT_EQ(refused.status.message, "this request is for clients only");
  EXPECT_EQ(store_.commits(), 0U);
  const ApiProbe::Entry& counted = grpc_api_.probe().entries().at("submit");
  EXPECT_EQ(counted.ok.value() + counted.failed.value(), 0U) << "what is refused is not counted";
}

/// The result of rpc_action for this body, with a gate that lets only viewers in.
std::string rpc_answer_to(std::string_view body) {
  const Gate gate{with_roles({viewers})};
  RequestContext context;
  const HttpHeaders headers;
  RpcCall call;
  const RpcAction action = rpc_action(body, RouteTable::standard(), {gate, context, headers}, call);
  const auto* const answer = std::get_if<HttpResponse>(&action);
  return answer ? answer->body : "let in";
}

TEST(GateOfJsonRpc, IsAskedAfterTheEnvelopeAndBeforeTheParams) {
  EXPECT_THAT(rpc_answer_to(R"({"jsonrpc":"2.0","id":1,"method":"submit","params":[]})"),
              HasSubstr(R"({"code":-32603,"message":"this request is for clients only"},"id":1)"));
  EXPECT_THAT(rpc_answer_to(R"({"jsonrpc":"2.0","id":1,"method":"query","params":[]})"),
              HasSubstr("Method not found: query"));
  EXPECT_THAT(rpc_answer_to(R"({"jsonrpc":"1.0","id":1,"method":"submit"})"),
              HasSubstr("Bad json request"));
}

}  // namespace
}  // namespace concerto::net::test
