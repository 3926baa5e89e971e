#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include <concerto/base/json_tree.hpp>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JsonRpcTest : public ApiTest {
 protected:
  boost::json::value call(const std::string& method, const std::string& params) {
    const HttpAnswer answer = http(
        "POST", "/api/json-rpc",
        R"({"jsonrpc":"2.0","id":"no-use","method":")" + method + R"(","params":)" + params + "}");
    EXPECT_EQ(answer.status, 200U);
    boost::json::value body = boost::json::parse(answer.body);
    EXPECT_EQ(body.as_object().size(), 4U);
    EXPECT_EQ(body.at("id"), "no-use");
    EXPECT_EQ(body.at("jsonrpc"), "2.0");
    return body;
  }

  void expect_ok(const boost::json::value& answer) {
    EXPECT_TRUE(answer.at("error").is_null()) << boost::json::serialize(answer);
    EXPECT_TRUE(answer.at("result").is_null());
  }

  void expect_error(const boost::json::value& answer, int code, const std::string& text) {
    ASSERT_TRUE(answer.at("error").is_object()) << boost::json::serialize(answer);
    EXPECT_EQ(answer.at("error").at("code"), code);
    EXPECT_EQ(answer.at("error").at("message").as_string(), text);
  }
};

TEST_F(JsonRpcTest, MakesNewGids) {
  const auto answer = call("newGid", "{}");
  EXPECT_TRUE(answer.at("error").is_null());
  EXPECT_EQ(answer.at("result").at("gid").as_string().size(), 22U);
}

TEST_F(JsonRpcTest, ServesATransactionFromPrepareToItsEnd) {
  const std::string trans = R"({"gid":"t;","trans_type":"tcc","protocol":"json-rpc")";
  expect_ok(call("prepare", trans + "}"));
  expect_ok(call("registerBranch", R"({"gid":"t;","trans_type":"tcc","branch_id":"01","data":"d",)"
                                   R"("confirm":"f","cancel":"b"})"));
  expect_ok(call("submit", trans + R"(,"wait_result":true})"));
  EXPECT_THAT(branches_.calls, ElementsAre("confirm 01"));
  EXPECT_EQ(query("t%3B").at("transaction").at("protocol"), "json-rpc") << "the gid is kept";
  expect_error(call("abort", trans + "}"), -32901,
               "trans type: 'tcc' current status 'succeed', cannot abort. FAILURE");
}

TEST_F(JsonRpcTest, TheWordsOfTheStoreAreNotForClients) {
  store_.fail_commit(1);
  expect_error(call("submit", R"({"gid":"g","trans_type":"saga","steps":[{"action":"http://a/b"}],)"
                              R"("payloads":["{}"]})"),
               -32603,
               "the store has trouble at the moment, and the outcome is not known: query the "
               "transaction, or repeat the request");
}

TEST_F(JsonRpcTest, ALineEndInAGidIsRefusedAndNotRemoved) {
  for (const char* method : {"prepare", "submit", "abort"}) {
    expect_error(call(method, R"({"gid":"a\r\nb","trans_type":"tcc"})"), -32603,
                 "gid has control characters");
  }
  expect_untouched();
}

TEST_F(JsonRpcTest, OngoingAndOtherErrorsAreInternal) {
  const std::string trans = R"({"gid":"x","trans_type":"xa")";
  call("prepare", trans + "}");
  call("registerBranch", trans + R"(,"branch_id":"01","url":"u"})");
  branches_.reply("commit 01", Outcome::ongoing);
  expect_error(call("submit", trans + R"(,"wait_result":true})"), -32603, "ONGOING");
  expect_error(call("abort", R"({"gid":"nogid"})"), -32603, "no TransGlobal with gid: nogid found");
  expect_error(call("submit", R"({"gid":1})"), -32603,
               "field 'gid' must be a string, but is a number");
}

TEST_F(JsonRpcTest, NewGidTakesAnyParams) {
  for (const char* params : {"[]", "[1]", "\"\"", "null", "7"}) {
    const auto answer = call("newGid", params);
    EXPECT_TRUE(answer.at("error").is_null()) << params;
    EXPECT_EQ(answer.at("result").at("gid").as_string().size(), 22U);
  }
  const auto answer = boost::json::parse(
      http("POST", "/api/json-rpc", R"({"jsonrpc":"2.0","id":"x","method":"newGid","context":[]})")
          .body);
  EXPECT_TRUE(answer.at("error").is_null());
}

TEST_F(JsonRpcTest, ParamsThatAreNoObjectAreAnInternalErrorOfTheCall) {
  for (const char* method : {"prepare", "submit", "abort", "registerBranch"}) {
    expect_error(call(method, "[]"), -32603, "field 'params' must be an object, but is an array");
    expect_error(call(method, "null"), -32603, "gid is empty");
  }
  expect_untouched();
}

TEST_F(JsonRpcTest, AnIdComesBackAsItCame) {
  const std::string longest(json_number_text_bytes_max, '9');
  for (const std::string& id :
       {std::string{"7"}, std::string{"-1"}, std::string{"-0"}, std::string{"1.0"},
        std::string{"0.1"}, std::string{"2.5E0"}, std::string{"1e999"},
        std::string{"18446744073709551615"}, std::string{"12345678901234567890123"}, longest,
        std::string{"\"7\""}, std::string{R"("a\"\\b")"}}) {
    for (const char* method : {"newGid", "submit", "nope"}) {
      const std::string body = R"({"jsonrpc":"2.0","method":")" + std::string(method) +
                               R"(","params":[],"id":)" + id + " }";
      const HttpAnswer answer = http("POST", "/api/json-rpc", body);
      EXPECT_EQ(answer.status, 200U);
      EXPECT_THAT(answer.body, HasSubstr(R"("id":)" + id + ","));
    }
  }
}

TEST_F(JsonRpcTest, ANumberAsIdHasALimitOfLength) {
  for (const std::size_t digits : {json_number_text_bytes_max + 1, std::size_t{1'000'000}}) {
    const HttpAnswer answer =
        http("POST", "/api/json-rpc",
             R"({"jsonrpc":"2.0","method":"newGid","id":)" + std::string(digits, '7') + "}");
    EXPECT_EQ(answer.status, 200U);
    const auto read = boost::json::parse(answer.body);
    EXPECT_EQ(read.at("error").at("code"), -32600);
    EXPECT_TRUE(read.at("id").is_null());
    EXPECT_TRUE(read.at("result").is_null());
  }
}

TEST_F(JsonRpcTest, AnErrorOfTheEnvelopeHasTheIdIfItCouldBeRead) {
  const HttpAnswer answer =
      http("POST", "/api/json-rpc", R"({"jsonrpc":"2.0","method":5,"id":"x"})");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_EQ(boost::json::parse(answer.body).at("id"), "x");
}

TEST_F(JsonRpcTest, RefusesBadEnvelopes) {
  expect_error(call("nope", "{}"), -32601, "Method not found: nope");
  const std::pair<const char*, int> rows[] = {
      {"", -32700},
      {"[]", -32700},
      {R"([{"jsonrpc":"2.0","id":"x","method":"newGid"}])", -32700},
      {R"({"jsonrpc":"2.0","id":true,"method":"newGid"})", -32700},
      {R"({"jsonrpc":"2.0","id":"x","method":["newGid"]})", -32700},
      {R"({"jsonrpc":"2.0","id":null,"method":"newGid"})", -32600},
      {R"({"jsonrpc":"2.0","method":"newGid"})", -32600},
      {R"({"jsonrpc":"1.0","id":"x","method":"newGid"})", -32600},
      {R"({"jsonrpc":"2.0","id":"","method":"newGid"})", -32600},
  };
  for (const auto& [body, code] : rows) {
    const HttpAnswer answer = http("POST", "/api/json-rpc", body);
    EXPECT_EQ(answer.status, code == -32700 ? 400U : 200U) << body;
    const auto read = boost::json::parse(answer.body);
    EXPECT_EQ(read.at("error").at("code"), code) << body;
    EXPECT_TRUE(read.at("result").is_null());
  }
  EXPECT_THAT(http("POST", "/api/json-rpc", "{").head, HasSubstr("Content-Type: text/plain"));
  expect_untouched();
}

}  // namespace
}  // namespace concerto::net::test
