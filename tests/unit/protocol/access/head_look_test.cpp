// Whom the gate refuses before the body of a request comes.

#include <ostream>

#include <gmock/gmock.h>

#include <concerto/protocol/gate.hpp>

#include "caller_line.hpp"
#include "fake_clock.hpp"

namespace concerto::net::test {
namespace {

using enum RouteDeed;
using enum RouteRole;
using enum RouteBrowser;
using concerto::test::FakeClock;

constexpr RouteNeeds probe{reads, anyone, any_page};
constexpr RouteNeeds submit{changes, clients, own_pages};
constexpr RouteNeeds stop{operates, operators, own_pages};

struct HeadCase {
  const char* name;
  const char* token;
  RouteNeeds needs;
  bool is_refused;
  bool is_known;
};
void PrintTo(const HeadCase& row, std::ostream* out) {
  *out << row.name;
}

class HeadLook : public testing::TestWithParam<HeadCase> {
 protected:
  static std::shared_ptr<const AccessRules> rules() {
    AccessTexts texts;
    texts.callers = line("shop", "client", "token of shop");
    return AccessRules::read(texts, {}).value();
  }

  FakeClock clock_;
  CallerNames names_{[](const std::string&) {}};
  WrongTokens wrong_{clock_, [](const std::string&) {}};
  RightTokens right_{{1, 2}};
  Authenticator authenticator_{rules(), names_, wrong_, right_, clock_};
};

TEST_P(HeadLook, RefusesWhoIsNotKnown) {
  GateOptions options;
  options.authenticator = &authenticator_;
  const Gate gate{options};
  HttpRequest request;
  request.method = "POST";
  GrpcMetadata metadata;
  if (GetParam().token[0] != '\0') {
    const std::string field = std::string{"Bearer "} + GetParam().token;
    request.headers.add("Authorization", field);
    metadata.add("authorization", field);
  }
  RequestContext context;
  const Gate::HeadLook over_http = gate.look_at_http(GetParam().needs, context, request);
  EXPECT_EQ(over_http.refusal.has_value(), GetParam().is_refused);
  EXPECT_EQ(over_http.is_known, GetParam().is_known);
  const Gate::HeadLook over_grpc = gate.look_at_grpc(GetParam().needs, context, metadata, nullptr);
  EXPECT_EQ(over_grpc.refusal.has_value(), GetParam().is_refused);
  EXPECT_EQ(over_grpc.is_known, GetParam().is_known);
}

INSTANTIATE_TEST_SUITE_P(
    Senders, HeadLook,
    testing::Values(HeadCase{"NobodyWithoutATokenSubmits", "", submit, true, false},
                    HeadCase{"NobodyWithAWrongOne", "wrong", submit, true, false},
                    HeadCase{"AClientSubmits", "token of shop", submit, false, true},
                    HeadCase{"WhatAClientMayNotIsReadForItsRecord", "token of shop", stop, false,
                             true},
                    HeadCase{"AnybodyProbesAndStaysAStranger", "", probe, false, false},
                    HeadCase{"NobodyIsAskedWhoProbes", "token of shop", probe, false, false}),
    [](const auto& row) { return row.param.name; });

TEST(HeadLookOfAnOpenGate, KnowsEverybody) {
  const Gate gate;
  RequestContext context;
  EXPECT_TRUE(gate.look_at_http(submit, context, HttpRequest{}).is_known);
  EXPECT_TRUE(gate.look_at_grpc(submit, context, GrpcMetadata{}, nullptr).is_known);
}

}  // namespace
}  // namespace concerto::net::test
