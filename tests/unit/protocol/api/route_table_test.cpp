#include <set>

#include <gtest/gtest.h>

#include <concerto/protocol/route_table.hpp>

namespace concerto::net {
namespace {

using TransOperation = Async<> (Coordinator::*)(TransRequest, RequestContext);
using BranchOperation = Async<> (Coordinator::*)(BranchRequest, RequestContext);

TEST(RouteTable, HasEachNameOnce) {
  std::set<std::string_view> paths, rpc, grpc;
  for (const Route& route : RouteTable::standard().rows()) {
    EXPECT_TRUE(paths.insert(route.path).second) << route.path;
    EXPECT_TRUE(route.rpc.empty() || rpc.insert(route.rpc).second) << route.rpc;
    EXPECT_TRUE(route.grpc.empty() || grpc.insert(route.grpc).second) << route.grpc;
  }
  EXPECT_EQ(rpc,
            (std::set<std::string_view>{"newGid", "prepare", "submit", "abort", "registerBranch"}));
  EXPECT_EQ(grpc, (std::set<std::string_view>{"NewGid", "Prepare", "Submit", "Abort",
                                              "RegisterBranch", "PrepareWorkflow", "Subscribe",
                                              "Unsubscribe", "DeleteTopic"}));
}

TEST(RouteTable, HasAFunctionForEachFrontEnd) {
  for (const Route& route : RouteTable::standard().rows()) {
    if (const auto* const own = std::get_if<OwnHandlers>(&route.operation)) {
      EXPECT_NE(own->http, nullptr) << route.path;
      EXPECT_EQ(own->grpc == nullptr, route.grpc.empty()) << route.path;
      EXPECT_TRUE(route.rpc.empty() || route.rpc == "newGid")
          << route.rpc << " is read and answered nowhere";
      continue;
    }
    const bool has_message = std::holds_alternative<TransOperation>(route.operation) ||
                             std::holds_alternative<BranchOperation>(route.operation);
    EXPECT_TRUE(has_message || (route.rpc.empty() && route.grpc.empty()))
        << route.path << ": only HTTP reads a gid alone";
  }
}

TEST(RouteTable, NeedsOfARouteFitTogether) {
  for (const Route& route : RouteTable::standard().rows()) {
    const bool reads = route.deed == RouteDeed::reads;
    EXPECT_EQ(route.browser == RouteBrowser::any_page, reads) << route.path;
    EXPECT_EQ(route.role == RouteRole::operators, route.deed == RouteDeed::operates) << route.path;
    EXPECT_TRUE(route.deed != RouteDeed::changes || route.role == RouteRole::clients) << route.path;
    const bool only_get = route.methods == "GET" || route.methods == "*";
    EXPECT_EQ(only_get, reads) << route.path;
  }
}

TEST(RouteTable, FindsMethodsOfJsonRpcByTheirWholeName) {
  ASSERT_NE(RouteTable::standard().find_rpc("submit"), nullptr);
  EXPECT_EQ(RouteTable::standard().find_rpc("submit")->path, "/api/dtmsvr/submit");
  for (const char* name : {"", "Submit", "submi", "forceStop"}) {
    EXPECT_EQ(RouteTable::standard().find_rpc(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace concerto::net
