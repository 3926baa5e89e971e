// What the coordinator answers is what a client reads.

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/base/utf8.hpp>
#include <concerto/protocol/answer_messages.hpp>

#include "api/error_answers.hpp"
#include "api/grpc_messages.hpp"
#include "api/rpc_action.hpp"
#include "api/trans_json.hpp"

namespace concerto::net {
namespace {

const ModeTable& modes = ModeTable::standard();

/// The parameter is the seed.
class AnswerMessages : public testing::TestWithParam<unsigned> {
 protected:
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_);
  }
  bool toss() { return below(2) == 0; }

  std::string text() {
    constexpr const char* pieces[] = {"a",  "Z",  "0",    "-", " ",        "\"",
                                      "\\", "\n", "\x01", "{", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    std::string text;
    for (std::size_t i = below(12); i > 0; --i) text += pieces[below(std::size(pieces))];
    return text;
  }
  std::string bytes() {
    std::string bytes(below(40), '\0');
    for (char& byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
  }
  WallTime time() {
    return WallTime{std::chrono::nanoseconds{1 + below(5'000'000'000'000'000'000)}};
  }
  std::optional<WallTime> perhaps_time() { return toss() ? std::optional{time()} : std::nullopt; }
  std::chrono::seconds seconds() { return std::chrono::seconds{below(3) * below(1000)}; }
  BranchStatus branch_status() { return static_cast<BranchStatus>(1 + below(3)); }

  TransOptions options() {
    TransOptions options;
    options.wait_result = toss();
    options.concurrent = toss();
    options.timeout_to_fail = seconds();
    options.request_timeout = seconds();
    options.retry_interval = -seconds();
    options.retry_limit = static_cast<std::int64_t>(below(5));
    for (std::size_t i = below(3); i > 0; --i) options.branch_headers[text()] = text();
    return options;
  }

  /// Rows that follow each other share a payload if it is the same.
  void add_branches(Transaction& trans) {
    for (std::size_t i = below(5); i > 0; --i) {
      std::string payload = bytes();
      const bool is_new = trans.payloads.empty() || (toss() && trans.payloads.back() != payload);
      if (is_new) trans.payloads.push_back(std::move(payload));
      Branch& branch = trans.branches.emplace_back();
      branch.branch_id = BranchId{text()};
      branch.op = text();
      branch.status = branch_status();
      branch.payload = static_cast<std::uint32_t>(trans.payloads.size() - 1);
    }
  }

  /// A transaction with what every answer shows of one.
  Transaction workflow() {
    Transaction trans;
    trans.type = TransType::workflow;
    trans.protocol = Protocol::grpc;
    trans.gid = Gid{text()};
    trans.status = static_cast<TransStatus>(1 + below(5));
    trans.result = text();
    trans.rollback_reason = text();
    add_branches(trans);
    return trans;
  }

  /// A transaction with what the JSON answers show too.
  Transaction transaction() {
    constexpr const char* urls[] = {"", "http://b/a?x=1", "b:1/a.A/B"};
    Transaction trans = workflow();
    trans.type = static_cast<TransType>(1 + below(5));
    trans.protocol = static_cast<Protocol>(1 + below(3));
    trans.options = options();
    trans.query_prepared = urls[below(std::size(urls))];
    trans.custom_data = text();
    if (toss()) trans.create_time = time();
    if (toss()) trans.update_time = time();
    trans.finish_time = perhaps_time();
    trans.rollback_time = perhaps_time();
    trans.next_cron_interval = seconds();
    if (toss()) trans.next_cron_time = time();
    for (Branch& branch : trans.branches) {
      branch.url = urls[below(std::size(urls))];
      branch.create_time = perhaps_time();
      branch.update_time = perhaps_time();
      branch.finish_time = perhaps_time();
    }
    return trans;
  }

  std::chrono::minutes zone() {
    return std::chrono::minutes{below(28 * 60)} - std::chrono::hours{14};
  }

  std::mt19937_64 random_{GetParam()};
};

TEST_P(AnswerMessages, OfQueryAreReadAsTheyWereWritten) {
  Inspection inspection;
  inspection.trans = transaction();
  const std::string body = query_json(inspection, zone(), modes);
  const auto read = query_from_json(body, modes);
  ASSERT_TRUE(read) << read.error().detail << " in " << body;
  ASSERT_TRUE(*read) << body;
  EXPECT_TRUE(**read == inspection.trans) << body;
}

TEST_P(AnswerMessages, OfAllAreReadAsTheyWereWritten) {
  TransPage page;
  page.next_position = text();
  for (std::size_t i = below(3); i > 0; --i) page.transactions.push_back(transaction());
  const std::string body = page_json(page, zone(), modes);
  const auto read = page_from_json(body, modes);
  ASSERT_TRUE(read) << read.error().detail << " in " << body;
  for (Transaction& trans : page.transactions) {
    trans.branches.clear();
    trans.payloads.clear();
  }
  EXPECT_EQ(read->next_position, page.next_position);
  EXPECT_TRUE(read->transactions == page.transactions) << body;
}

TEST_P(AnswerMessages, OfPrepareWorkflowAreReadAsTheyWereWritten) {
  const Transaction shown = transaction();
  const std::string body = workflow_json(shown, zone(), modes);
  const auto read = workflow_from_json(body, modes);
  ASSERT_TRUE(read) << read.error().detail << " in " << body;
  EXPECT_TRUE(*read == shown) << body;

  const Transaction over_grpc = workflow();
  const auto reply = workflow_from_proto(progresses_reply(over_grpc));
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_TRUE(*reply == over_grpc);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnswerMessages, testing::Range(0U, 64U));

TEST(AnswerMessages, OfAnUnknownGidHaveNoTransaction) {
  const auto found = query_from_json(query_json(std::nullopt, {}, modes), modes);
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  const auto page = page_from_json(single_json(std::nullopt, "p", {}, modes), modes);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->transactions.empty());
  EXPECT_EQ(page->next_position, "p");
  EXPECT_FALSE(workflow_from_json(R"({"transaction":null})", modes));
}

TEST(AnswerMessages, OfAnUnknownModeHaveNoType) {
  const auto read =
      query_from_json(R"({"transaction":{"trans_type":"own","status":"failed"}})", modes);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->type, TransType{});
}

TEST(AnswerMessages, ThatCannotBeReadAreErrors) {
  for (const char* body :
       {"", "[]", "succeed", R"({"transaction":[]})", R"({"transaction":{}})",
        R"({"transaction":{"status":"done"}})", R"({"transaction":{"status":1}})",
        R"({"transaction":{"status":"failed","protocol":"smoke"}})",
        R"({"transaction":{"status":"failed","create_time":"today"}})",
        R"({"transaction":{"status":"failed","options":"[]"}})",
        R"({"transaction":{"status":"failed","options":"{"}})",
        R"({"transaction":{"status":"failed"},"branches":{}})",
        R"({"transaction":{"status":"failed"},"branches":[1]})",
        R"({"transaction":{"status":"failed"},"branches":[{"op":"action"}]})",
        R"({"transaction":{"status":"failed"},"branches":[{"status":"failed","bin_data":"?"}]})"}) {
    const auto read = query_from_json(body, modes);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, Errc::invalid_request) << body;
    EXPECT_FALSE(read.error().detail.empty()) << body;
  }
  for (const char* body : {"", "[]", R"({"transactions":{}})", R"({"transactions":[null]})"}) {
    EXPECT_FALSE(page_from_json(body, modes)) << body;
  }
  EXPECT_FALSE(workflow_from_proto("\xff"));
  EXPECT_FALSE(workflow_from_proto("")) << "a workflow without a status";
}

/// Every error that the core may answer with.
std::vector<error_code> core_codes() {
  std::vector<error_code> codes;
  for (int value = 1; value <= static_cast<int>(Errc::deadline_exceeded); ++value) {
    codes.emplace_back(static_cast<Errc>(value));
  }
  for (int value = 1; value <= static_cast<int>(EngineErrc::store_damaged); ++value) {
    codes.emplace_back(static_cast<EngineErrc>(value));
  }
  return codes;
}

AnswerClass over_http(AnswerClass answer) {
  if (answer == AnswerClass::busy) return AnswerClass::overloaded;
  if (answer == AnswerClass::deadline) return AnswerClass::unknown_outcome;
  return answer == AnswerClass::rejected ? AnswerClass::plain : answer;
}

AnswerClass over_grpc(AnswerClass answer) {
  const bool promises_less = answer == AnswerClass::busy || answer == AnswerClass::late;
  return promises_less ? AnswerClass::unknown_outcome : answer;
}

AnswerClass over_rpc(AnswerClass answer) {
  return answer == AnswerClass::failure ? answer : AnswerClass::plain;
}

TEST(ReceivedAnswer, HasTheClassAndTheTextOfTheError) {
  const RpcCall call;
  for (const error_code code : core_codes()) {
    const Error error{code, "why \"not\" \xc3\xa9\n"};
    const AnswerClass sent = answer_class(code);
    const HttpResponse http = http_answer(error);
    const ReceivedAnswer answers[] = {
        answer_from_http(http.status, http.headers, http.body),
        answer_from_grpc(grpc_answer(error)),
        answer_from_rpc(rpc_answer(call, error).body),
    };
    EXPECT_EQ(answers[0].error, over_http(sent)) << code.message();
    EXPECT_EQ(answers[1].error, over_grpc(sent)) << code.message();
    EXPECT_EQ(answers[2].error, over_rpc(sent)) << code.message();
    for (const ReceivedAnswer& answer : answers) EXPECT_EQ(answer.text, client_text(error));
  }
}

TEST(ReceivedAnswer, OfASuccessHasNoError) {
  EXPECT_TRUE(answer_from_http(200, {}, R"({"dtm_result":"SUCCESS"})").ok());
  EXPECT_TRUE(answer_from_grpc({}).ok());
  EXPECT_TRUE(answer_from_rpc(rpc_answer(RpcCall{}, ok()).body).ok());
}

TEST(ReceivedAnswer, WithoutAMessageHasTheBodyAsItsText) {
  EXPECT_EQ(answer_from_http(404, {}, "404 page not found").text, "404 page not found");
  EXPECT_EQ(answer_from_http(500, {}, R"({"message":1})").text, R"({"message":1})");
  EXPECT_EQ(answer_from_rpc("oops").text, "oops");
  EXPECT_EQ(answer_from_rpc(R"({"error":"x"})").text, R"({"error":"x"})");
}

}  // namespace
}  // namespace concerto::net
