#include "api/grpc_messages.hpp"

#include <dtmgimp.pb.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(DtmRequest, BecomesARequest) {
  dtmgimp::DtmRequest message;
  message.set_gid("g;1\n");
  message.set_transtype("saga");
  message.set_customeddata(R"({"concurrent":true})");
  message.set_queryprepared("h:1/q.Q/Q");
  message.set_rollbackreason("poor");
  message.set_steps(R"([{"action":"h:1/a.A/A","compensate":"h:1/a.A/C"},{"action":"h:1/a.A/B"}])");
  message.add_binpayloads(std::string("\x08\x1e\x00\xff", 4));
  message.add_binpayloads("");
  auto& options = *message.mutable_transoptions();
  options.set_waitresult(true);
  options.set_timeouttofail(3);
  options.set_requesttimeout(2);
  options.set_retryinterval(-5);
  options.set_retrylimit(7);
  (*options.mutable_branchheaders())["test_header"] = "v";

  const auto request = trans_request_from_proto(message.SerializeAsString());
  ASSERT_TRUE(request) << request.error().detail;
  EXPECT_EQ(request->gid.str(), "g;1\n");
  EXPECT_EQ(request->trans_type, "saga");
  EXPECT_EQ(request->protocol, "grpc");
  EXPECT_EQ(request->custom_data, R"({"concurrent":true})");
  EXPECT_EQ(request->query_prepared, "h:1/q.Q/Q");
  EXPECT_EQ(request->rollback_reason, "poor");
  ASSERT_EQ(request->steps.size(), 2U);
  EXPECT_EQ(request->steps[0].compensate, "h:1/a.A/C");
  EXPECT_EQ(request->steps[1].action, "h:1/a.A/B");
  EXPECT_EQ(request->steps[1].compensate, "");
  EXPECT_THAT(request->payloads, ElementsAre(std::string("\x08\x1e\x00\xff", 4), ""));
  EXPECT_TRUE(request->options.wait_result);
  EXPECT_FALSE(request->options.concurrent);
  EXPECT_EQ(request->options.timeout_to_fail, 3s);
  EXPECT_EQ(request->options.request_timeout, 2s);
  EXPECT_EQ(request->options.retry_interval, -5s);
  EXPECT_EQ(request->options.retry_limit, 7);
  EXPECT_THAT(request->options.branch_headers, ElementsAre(Pair("test_header", "v")));
}

TEST(DtmRequest, MayBeEmpty) {
  const auto request = trans_request_from_proto("");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->gid.empty());
  EXPECT_EQ(request->protocol, "grpc");
  EXPECT_EQ(request->options, TransOptions{});
}

TEST(DtmRequest, IgnoresUnknownFieldsOfOldClients) {
  dtmgimp::DtmRequest message;
  message.set_gid("g");
  // TransOptions{PassthroughHeaders(4): "h"}, and a field 99 of the request itself.
  const std::string bytes = message.SerializeAsString() + "\x1a\x03\x22\x01h" + "\x9a\x06\x01x";
  const auto request = trans_request_from_proto(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->gid.str(), "g");
}

struct StepsCase {
  const char* name;
  const char* text;
  std::size_t count;
};

void PrintTo(const StepsCase& row, std::ostream* out) {
  *out << row.name;
}

class GoodSteps : public testing::TestWithParam<StepsCase> {};

TEST_P(GoodSteps, AreCounted) {
  dtmgimp::DtmRequest message;
  message.set_steps(GetParam().text);
  const auto request = trans_request_from_proto(message.SerializeAsString());
  ASSERT_TRUE(request) << request.error().detail;
  EXPECT_EQ(request->steps.size(), GetParam().count);
  EXPECT_TRUE(request->payloads.empty());
}

INSTANTIATE_TEST_SUITE_P(
    DtmRequest, GoodSteps,
    testing::Values(StepsCase{"Empty", "", 0}, StepsCase{"Null", "null", 0},
                    StepsCase{"NullWithBlanks", " null\n", 0}, StepsCase{"NoElements", "[]", 0},
                    StepsCase{"One", R"([{"action":"a"}])", 1},
                    StepsCase{"LegacyDataIsNoPayloadHere", R"([{"action":"a","data":"d"}])", 1}),
    [](const auto& row) { return row.param.name; });

struct BadCase {
  const char* name;
  std::string message;
  const char* want;
};

void PrintTo(const BadCase& row, std::ostream* out) {
  *out << row.name;
}

class BadDtmRequest : public testing::TestWithParam<BadCase> {};

TEST_P(BadDtmRequest, IsRefused) {
  const auto request = trans_request_from_proto(GetParam().message);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, Errc::invalid_request);
  EXPECT_THAT(request.error().detail, HasSubstr(GetParam().want));
}

std::string with_steps(const char* steps) {
  dtmgimp::DtmRequest message;
  message.set_steps(steps);
  return message.SerializeAsString();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadDtmRequest,
    testing::Values(BadCase{"Garbage", "\xff\xff\xff", "the request is not a dtmgimp.DtmRequest"},
                    BadCase{"CutText", "\x0a\x05gid", "in 5 bytes"},
                    BadCase{"WireTypeOfAGroupEnd", "\x0c", "malformed protobuf"},
                    BadCase{"GidIsNotUtf8", "\x0a\x01\xff", "text that is not UTF-8"},
                    BadCase{"StepsAreNotJson", with_steps("[{"),
                            "field 'Steps' is not JSON: incomplete"},
                    BadCase{"StepsAreAnObject", with_steps("{}"),
                            "field 'Steps' must be an array, but is an object"},
                    BadCase{"ActionIsNumber", with_steps(R"([{"action":1}])"),
                            "field 'Steps[0].action' must be a string, but is a number"}),
    [](const auto& row) { return row.param.name; });

TEST(GidReply, HasTheGidAsFieldOne) {
  EXPECT_EQ(gid_reply(Gid{"abc"}),
            "\x0a\x03"
            "abc");
}

}  // namespace
}  // namespace concerto::net
