// The front ends read requests as the client's code writes them.

#include <gtest/gtest.h>

#include <concerto/protocol/request_messages.hpp>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

TransRequest full_request() {
  TransRequest request;
  request.gid = Gid{"g-1"};
  request.trans_type = "msg";
  request.protocol = "grpc";
  request.steps = {{"h:1/a.A/A", "h:1/a.A/C"}, {"h:1/a.A/\"B\"", ""}};
  request.payloads = {"{\"amount\":30}", "", "caf\xc3\xa9\n", std::string(300, 'p')};
  request.custom_data = R"({"delay":10})";
  request.query_prepared = "h:1/q.Q/Q";
  request.rollback_reason = "poor";
  request.extra = {{"status", "failed"}, {"result", ""}};
  request.options.wait_result = true;
  request.options.timeout_to_fail = 3s;
  request.options.request_timeout = 2s;
  request.options.retry_interval = -5s;
  request.options.retry_limit = 7;
  request.options.branch_headers = {{"x-a", "1"}, {"x-b", ""}};
  return request;
}

BranchRequest full_branch() {
  BranchRequest request;
  request.gid = Gid{"g-1"};
  request.trans_type = "tcc";
  request.branch_id = "01";
  request.payload = "pay";
  request.fields = {{"confirm", "http://b/c"}, {"cancel", "http://b/x?a=\"1\""}, {"empty", ""}};
  return request;
}

void expect_same(const Result<TransRequest>& read, const TransRequest& want) {
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->gid, want.gid);
  EXPECT_EQ(read->trans_type, want.trans_type);
  EXPECT_EQ(read->protocol, want.protocol);
  EXPECT_EQ(read->payloads, want.payloads);
  EXPECT_EQ(read->custom_data, want.custom_data);
  EXPECT_EQ(read->query_prepared, want.query_prepared);
  EXPECT_EQ(read->rollback_reason, want.rollback_reason);
  EXPECT_EQ(read->extra, want.extra);
  EXPECT_EQ(read->options, want.options);
  ASSERT_EQ(read->steps.size(), want.steps.size());
  for (std::size_t i = 0; i < want.steps.size(); ++i) {
    EXPECT_EQ(read->steps[i].action, want.steps[i].action);
    EXPECT_EQ(read->steps[i].compensate, want.steps[i].compensate);
  }
}

void expect_same(const Result<BranchRequest>& read, const BranchRequest& want) {
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->gid, want.gid);
  EXPECT_EQ(read->trans_type, want.trans_type);
  EXPECT_EQ(read->branch_id, want.branch_id);
  EXPECT_EQ(read->payload, want.payload);
  EXPECT_EQ(read->fields, want.fields);
}

TEST(TransRequestMessages, AreReadAsTheyWereWritten) {
  TransRequest request = full_request();
  expect_same(trans_request_from_proto(proto_of(request)), request);
  request.options.concurrent = true;
  expect_same(trans_request_from_json(json_of(request)), request);
}

TEST(TransRequestMessages, KeepAnEmptyMessageOfOptions) {
  TransRequest request;
  request.options.concurrent = true;  // which the message has no field for
  EXPECT_EQ(proto_of(request), std::string("\x1a\0", 2));
}

TEST(TransRequestMessages, CarryBinaryPayloadsOverGrpc) {
  TransRequest request = full_request();
  request.payloads = {std::string("\x08\x00\xff", 3)};
  expect_same(trans_request_from_proto(proto_of(request)), request);
}

TEST(TransRequestMessages, LeaveDefaultsOut) {
  EXPECT_EQ(json_of(TransRequest{}), "{}");
  EXPECT_EQ(proto_of(TransRequest{}), "");
  expect_same(trans_request_from_json("{}"), TransRequest{});
  TransRequest over_grpc;
  over_grpc.protocol = "grpc";
  expect_same(trans_request_from_proto(""), over_grpc);
}

TEST(BranchRequestMessages, AreReadAsTheyWereWritten) {
  const BranchRequest request = full_branch();
  expect_same(branch_request_from_json(json_of(request)), request);
  expect_same(branch_request_from_proto(proto_of(request)), request);
}

TEST(BranchRequestMessages, LeaveDefaultsOut) {
  EXPECT_EQ(json_of(BranchRequest{}), "{}");
  EXPECT_EQ(proto_of(BranchRequest{}), "");
}

}  // namespace
}  // namespace concerto::net
