// A service reads what the branch callers write, and the branch callers read what a service writes.

#include <array>
#include <map>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/transport/percent.hpp>

#include "branch/branch_metadata.hpp"
#include "branch/branch_result.hpp"
#include "branch/branch_url.hpp"
#include "branch/rpc_request.hpp"

namespace concerto::net {
namespace {

using testing::HasSubstr;

constexpr Outcome outcomes[] = {Outcome::success, Outcome::failure, Outcome::ongoing,
                                Outcome::error};

/// The parameter is the seed.
class BranchMessages : public testing::TestWithParam<unsigned> {
 protected:
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_);
  }

  std::string text_of(std::initializer_list<const char*> pieces) {
    std::string text;
    for (std::size_t i = below(12); i > 0; --i) text += pieces.begin()[below(pieces.size())];
    return text;
  }
  std::string printable_text() { return text_of({"a", "Z", "0", "-", " ", "%", "\"", "~", "g-1"}); }
  std::string any_text() {
    return text_of({"a",
                    "Z",
                    "0",
                    "-",
                    " ",
                    "+",
                    "%",
                    "&",
                    "=",
                    ";",
                    "?",
                    "#",
                    "/",
                    "\"",
                    "\\",
                    "\n",
                    "\x01",
                    "\xc3\xa9",
                    "\xe2\x82\xac",
                    "\xf0\x9f\x98\x80"});
  }

  /// A call whose texts are members of the fixture.
  BranchCall call_of(std::string gid, std::string branch_id, std::string op) {
    const Mode* const all_modes[] = {&modes::saga, &modes::msg, &modes::tcc, &modes::xa};
    gid_ = Gid{std::move(gid)};
    branch_id_ = std::move(branch_id);
    op_ = std::move(op);
    BranchCall call;
    call.gid = &gid_;
    call.mode = all_modes[below(std::size(all_modes))];
    call.branch_id = branch_id_;
    call.op = op_;
    call.headers = &headers_;
    return call;
  }

  static ReceivedCall names_of(const BranchCall& call) {
    return {call.gid->str(), std::string{call.mode->name}, std::string{call.branch_id},
            std::string{call.op}};
  }

  std::mt19937 random_{GetParam()};
  Gid gid_;
  std::string branch_id_;
  std::string op_;
  std::map<std::string, std::string> headers_;
};

TEST_P(BranchMessages, NamesOfACallArriveOverGrpc) {
  const BranchCall call = call_of(printable_text(), printable_text(), printable_text());
  if (below(2) == 0) headers_ = {{"dtm-gid", "other"}, {"Dtm-Op", "other"}, {"x", "y"}};
  const auto metadata = branch_metadata(call);
  ASSERT_TRUE(metadata) << metadata.error().detail;
  EXPECT_EQ(received_call(*metadata), names_of(call));
}

TEST_P(BranchMessages, NamesOfACallArriveOverHttp) {
  constexpr const char* urls[] = {"http://b/a", "http://b/a?", "http://b/a?x=1#part",
                                  "http://b/a?op=mine&gid=theirs"};
  BranchCall call = call_of(any_text(), any_text(), any_text());
  call.url = urls[below(std::size(urls))];
  const std::string url = branch_url(call);
  HttpRequest request;
  request.query = decode_query(url.substr(url.find('?') + 1));
  EXPECT_EQ(received_call(request), names_of(call));
}

TEST_P(BranchMessages, NamesOfACallArriveOverJsonRpc) {
  constexpr const char* payloads[] = {"", "{}", R"({"a":{"gid":"inner"},"b":[1]})",
                                      R"({"gid":1,"x":"}","op":null})"};
  BranchCall call = call_of(any_text(), any_text(), any_text());
  call.url = "http://b/rpc?method=Transfer%22In";
  call.payload = payloads[below(std::size(payloads))];
  const auto body = rpc_request_body(call, "id1");
  ASSERT_TRUE(body) << body.error().detail;
  const auto received = received_rpc_call(*body);
  ASSERT_TRUE(received) << received.error().detail;
  EXPECT_EQ(received->id, "id1");
  EXPECT_EQ(received->method, "Transfer\"In");
  EXPECT_EQ(received->call, names_of(call));
}

TEST_P(BranchMessages, DataOfAWorkflowArrives) {
  std::string data(below(300), '\0');
  for (char& byte : data) byte = static_cast<char>(below(256));
  const auto read = workflow_data_from(workflow_data_message(data));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, data);
}

TEST_P(BranchMessages, AnswersArriveOverGrpc) {
  const std::string text = any_text();
  for (const Outcome outcome : outcomes) {
    const BranchReply reply = branch_reply(grpc_branch_answer(outcome, text));
    EXPECT_EQ(reply.outcome, outcome);
    if (outcome == Outcome::failure) {
      EXPECT_EQ(reply.error.detail, with_failure_suffix(text));
    }
    if (outcome == Outcome::error) {
      EXPECT_THAT(reply.error.detail, HasSubstr(text));
    }
  }
}

TEST_P(BranchMessages, AnswersArriveOverHttp) {
  const std::string text = any_text();
  for (const Outcome outcome : outcomes) {
    const HttpResponse answer = http_branch_answer(outcome, text);
    const BranchReply reply = judge_http_answer(answer.status, answer.body);
    EXPECT_EQ(reply.outcome, outcome) << answer.body;
    // The coordinator takes the whole body as the text.
    if (outcome == Outcome::failure) {
      EXPECT_EQ(reply.error.detail, with_failure_suffix(answer.body));
    }
    if (outcome == Outcome::error) {
      EXPECT_EQ(reply.error.detail, answer.body);
    }
  }
}

TEST_P(BranchMessages, AnswersArriveOverJsonRpc) {
  const std::string text = any_text();
  for (const Outcome outcome : outcomes) {
    const HttpResponse answer = rpc_branch_answer(outcome, any_text(), text);
    const BranchReply reply = judge_rpc_answer(answer.status, answer.body);
    EXPECT_EQ(reply.outcome, outcome) << answer.body;
    if (outcome == Outcome::failure) {
      EXPECT_EQ(reply.error.detail, with_failure_suffix(text));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, BranchMessages, testing::Range(0U, 64U));

TEST(ReceivedCall, LacksWhatTheRequestLacks) {
  EXPECT_EQ(received_call(GrpcMetadata{}), ReceivedCall{});
  EXPECT_EQ(received_call(HttpRequest{}), ReceivedCall{});
  const auto rpc = received_rpc_call(R"({"params":{}})");
  ASSERT_TRUE(rpc);
  EXPECT_EQ(rpc->call, ReceivedCall{});
}

TEST(ReceivedCall, OverJsonRpcIsAnObjectWithTexts) {
  for (const char* body : {"", "[]", "{}", R"({"params":[]})", R"({"params":{"gid":1}})",
                           R"({"id":1,"params":{}})", R"({"method":null,"params":{}})"}) {
    const auto read = received_rpc_call(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, Errc::invalid_request) << body;
  }
}

TEST(WorkflowData, IsAMessage) {
  EXPECT_EQ(workflow_data_message("\x08\x1e"), "\x0a\x02\x08\x1e");
  EXPECT_FALSE(workflow_data_from("\xff"));
}

}  // namespace
}  // namespace concerto::net
