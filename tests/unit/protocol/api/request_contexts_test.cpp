#include "api/request_contexts.hpp"

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime now{1h};
constexpr const char* trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

boost::asio::ip::tcp::endpoint endpoint(const char* address) {
  return {boost::asio::ip::make_address(address), 80};
}

struct PreferCase {
  const char* name;
  std::vector<const char*> fields;
  std::chrono::seconds wait;  // 0: no deadline
};
void PrintTo(const PreferCase& row, std::ostream* out) {
  *out << row.name;
}

class PreferField : public testing::TestWithParam<PreferCase> {};

TEST_P(PreferField, SaysHowLongAnHttpClientWaits) {
  HttpRequest request;
  for (const char* const field : GetParam().fields) request.headers.add("Prefer", field);
  const SteadyTime want = GetParam().wait == 0s ? SteadyTime::max() : now + GetParam().wait;
  EXPECT_EQ(context_of(request, now, {}).deadline, want);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, PreferField,
    testing::Values(PreferCase{"None", {}, 0s}, PreferCase{"Alone", {"wait=10"}, 10s},
                    PreferCase{"WithoutCase", {"Wait=10"}, 10s},
                    PreferCase{"WithBlanks", {" wait = 10 "}, 10s},
                    PreferCase{"Quoted", {"wait=\"10\""}, 10s},
                    PreferCase{"WithParameters", {"wait=10; x=y"}, 10s},
                    PreferCase{"InAList", {"respond-async, wait=10"}, 10s},
                    PreferCase{"InASecondField", {"respond-async", "wait=10"}, 10s},
                    PreferCase{"TheFirstOfTwoCounts", {"wait=10, wait=20", "wait=30"}, 10s},
                    PreferCase{"NoNumber", {"wait=soon"}, 0s}, PreferCase{"Empty", {"wait="}, 0s},
                    PreferCase{"WithoutValue", {"wait"}, 0s},
                    PreferCase{"Negative", {"wait=-1"}, 0s},
                    PreferCase{"WithUnit", {"wait=10s"}, 0s},
                    PreferCase{"BeyondEveryNumber", {"wait=99999999999999999999"}, 0s},
                    PreferCase{"BeyondEveryTime", {"wait=4000000000"}, 0s},
                    PreferCase{"AnotherOne", {"waiting=10, handling=strict"}, 0s},
                    PreferCase{"OnlyCommas", {",,"}, 0s}),
    [](const auto& row) { return row.param.name; });

TEST(HttpContext, WithoutTimeToWaitEndsAtOnce) {
  HttpRequest request;
  request.headers.add("Prefer", "wait=0");
  EXPECT_EQ(context_of(request, now, {}).deadline, now);
}

TEST(HttpContext, HasPeerAndTrace) {
  HttpRequest request;
  request.peer = endpoint("10.0.0.7");
  request.headers.add("Traceparent", trace_parent);
  const RequestContext context = context_of(request, now, {});
  EXPECT_EQ(context.told(), "asked by 10.0.0.7:80, trace 4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(HttpContext, WithABrokenTraceHasNone) {
  HttpRequest request;
  request.headers.add("traceparent", "00-x");
  EXPECT_FALSE(context_of(request, now, {}).trace.is_set());
}

TEST(HttpContext, WithTwoTracesHasNone) {
  HttpRequest request;
  request.headers.add("traceparent", trace_parent);
  request.headers.add("TraceParent", trace_parent);
  EXPECT_FALSE(context_of(request, now, {}).trace.is_set());
}

TEST(TraceStateOfARequest, IsOneListOfAllItsFieldsAndNothingWithoutATrace) {
  HttpRequest request;
  request.headers.add("tracestate", "a=1");
  request.headers.add("Tracestate", "b=2 ");
  TransRequest trans;
  take_trace_state(trans, context_of(request, now, {}), request.headers);
  EXPECT_FALSE(trans.trace);
  request.headers.add("traceparent", trace_parent);
  take_trace_state(trans, context_of(request, now, {}), request.headers);
  EXPECT_EQ(trans.trace.value().state, "a=1,b=2");
  GrpcRequest call;
  call.metadata.add("traceparent", trace_parent);
  call.metadata.add("tracestate", "c=3");
  take_trace_state(trans, context_of(call, {}), call.metadata);
  EXPECT_EQ(trans.trace.value().state, "c=3");
}

TEST(PeerOfASocket, IsShownWithAddressAndPort) {
  HttpRequest request;
  request.peer = endpoint("::ffff:10.0.0.7");
  EXPECT_EQ(context_of(request, now, {}).peer.str(), "10.0.0.7:80") << "IPv6's form of IPv4";
  request.peer = endpoint("2001:db8::1");
  EXPECT_EQ(context_of(request, now, {}).peer.str(), "[2001:db8::1]:80");
  request.peer = endpoint("fe80::1%2");
  EXPECT_EQ(context_of(request, now, {}).peer.str(), "[fe80::1%2]:80");
}

TEST(GrpcContext, HasPeerDeadlineAndTrace) {
  GrpcRequest request;
  request.peer = endpoint("10.0.0.7");
  request.deadline = now + 3s;
  request.metadata.add("traceparent", trace_parent);
  const RequestContext context = context_of(request, {});
  EXPECT_EQ(context.told(), "asked by 10.0.0.7:80, trace 4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context.deadline, now + 3s);
}

TEST(GrpcContext, WithoutATimeoutWaitsAsLongAsItTakes) {
  EXPECT_EQ(context_of(GrpcRequest{}, {}).deadline, SteadyTime::max());
}

}  // namespace
}  // namespace concerto::net
