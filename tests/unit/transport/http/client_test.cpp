#include <gmock/gmock.h>

#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class HttpClientTest : public ClientTest {};

/// Holds as many bytes as the test says and gives up nothing.
class Greedy final : public BufferBudget::Holder {
 public:
  using Holder::Holder;

 private:
  void shed(Excess /*excess*/) override {}
};

TEST_F(HttpClientTest, SendsAndReadsLargeBodies) {
  serve();
  const std::string body(3 << 20, 'b');
  const auto answer = finish(start_post(server_url("/echo"), body));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, body);
  EXPECT_FALSE(answer->truncated);
}

TEST_F(HttpClientTest, SendsHeadAndBody) {
  ScriptedServer server{executor()};
  HttpClientRequest request;
  request.method = "POST";
  request.url = "http://u:p@127.0.0.1:" + server.port() + "/a b?x=1#f";
  request.body = "{}";
  request.headers.add("Content-Type", "application/json");
  request.headers.add("test_header", "v");
  request.headers.add("host", "orders.internal");
  request.headers.add("content-length", "99");
  const auto answer = start(client_->send(std::move(request), in(seconds{3})));
  run_until([&] { return server.size() == 1 && server[0].has("{}"); });
  EXPECT_EQ(server[0].received(),
            "POST /a%20b?x=1 HTTP/1.1\r\nHost: orders.internal"
            "\r\nContent-Type: application/json\r\ntest_header: v\r\n"
            "User-Agent: concerto\r\nAccept-Encoding: gzip\r\n"
            "Authorization: Basic dTpw\r\nContent-Length: 2\r\n\r\n{}");
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(answer));
}

TEST_F(HttpClientTest, RefusesIllegalHeadersAndUrlsBeforeSending) {
  struct Case {
    const char* name;
    const char* value;
  };
  for (const auto& [name, value] :
       {Case{"a b", "x"}, Case{"", "x"}, Case{"a", "x\r\nEvil: 1"}, Case{"a:", "x"}}) {
    HttpClientRequest request;
    request.url = "http://127.0.0.1:1/";
    request.headers.add(name, value);
    const auto answer = await(client_->send(std::move(request), in(seconds{3})));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, HttpErrc::bad_header);
  }
  EXPECT_EQ(get("b:80/a").error().code, HttpErrc::unsupported_scheme);
  EXPECT_EQ(get("https://b/a").error().code, HttpErrc::unsupported_scheme);
  EXPECT_EQ(get("http:///a").error().code, HttpErrc::bad_url);
}

struct ScriptedAnswerCase {
  const char* name;
  const char* text;
  bool closes;
  const char* body;  // null: an error is expected
  HttpErrc code;
};
void PrintTo(const ScriptedAnswerCase& row, std::ostream* out) {
  *out << row.name;
}

class ScriptedAnswer : public ClientTest, public testing::WithParamInterface<ScriptedAnswerCase> {};

TEST_P(ScriptedAnswer, IsUnderstood) {
  const ScriptedAnswerCase& row = GetParam();
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  for (const char& byte : std::string_view{row.text}) {
    server[0].send({&byte, 1});
    poll();
  }
  if (row.closes) server[0].close();
  const Answer result = finish(answer);
  ASSERT_EQ(result.has_value(), row.body != nullptr) << (result ? "" : result.error().detail);
  if (result) {
    EXPECT_EQ(result->body, row.body);
  } else {
    EXPECT_EQ(result.error().code, row.code) << result.error().detail;
    EXPECT_TRUE(result.error().code == Condition::outcome_unknown);
  }
  EXPECT_EQ(server.size(), 1U);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"

INSTANTIATE_TEST_SUITE_P(
    Table, ScriptedAnswer,
    testing::Values(
        ScriptedAnswerCase{"Length", OK_LINE "Content-Length: 3\r\n\r\nabc", false, "abc", {}},
        ScriptedAnswerCase{
            "Chunked",
            OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: 1\r\n\r\n",
            false,
            "abc",
            {}},
        ScriptedAnswerCase{"UntilClose", OK_LINE "\r\nabc", true, "abc", {}},
        ScriptedAnswerCase{"EmptyUntilClose", OK_LINE "\r\n", true, "", {}},
        ScriptedAnswerCase{"Http10", "HTTP/1.0 200 OK\r\n\r\nabc", true, "abc", {}},
        ScriptedAnswerCase{"Continue",
                           "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE "Content-Length: 1\r\n\r\na",
                           false,
                           "a",
                           {}},
        ScriptedAnswerCase{"Hints",
                           "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_LINE
                           "Content-Length: 1\r\n\r\na",
                           false,
                           "a",
                           {}},
        ScriptedAnswerCase{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", false, "", {}},
        ScriptedAnswerCase{
            "NoReason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", false, "a", {}},
        ScriptedAnswerCase{
            "NeitherReasonNorBlank", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", false, "a", {}},
        ScriptedAnswerCase{"OtherProtocolAsked", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", false,
                           nullptr, HttpErrc::bad_response},
        ScriptedAnswerCase{"CloseBeforeAnswer", "", true, nullptr, HttpErrc::connection_lost},
        ScriptedAnswerCase{"CloseInHeader", "HTTP/1.1 200", true, nullptr,
                           HttpErrc::connection_lost},
        ScriptedAnswerCase{"CloseInBody", OK_LINE "Content-Length: 9\r\n\r\nabc", true, nullptr,
                           HttpErrc::connection_lost},
        ScriptedAnswerCase{"CloseInChunk", OK_LINE "Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
                           true, nullptr, HttpErrc::connection_lost},
        ScriptedAnswerCase{"CloseBetweenChunks",
                           OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true, nullptr,
                           HttpErrc::connection_lost},
        ScriptedAnswerCase{"Garbage", "SSH-2.0-OpenSSH\r\n\r\n", false, nullptr,
                           HttpErrc::bad_response},
        ScriptedAnswerCase{"BadChunk", OK_LINE "Transfer-Encoding: chunked\r\n\r\nzz\r\n", false,
                           nullptr, HttpErrc::bad_response},
        ScriptedAnswerCase{"UnknownCoding", OK_LINE "Transfer-Encoding: deflate\r\n\r\n", false,
                           nullptr, HttpErrc::bad_response},
        ScriptedAnswerCase{"NotReallyGzip",
                           OK_LINE "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", false,
                           nullptr, HttpErrc::bad_response}),
    [](const auto& row) { return row.param.name; });

TEST_F(HttpClientTest, RefusesAnEndlessHeader) {
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 2000 && !server[0].saw_end(); ++i) {
    server[0].send("name: " + std::string(100, 'v') + "\r\n");
    poll();
  }
  EXPECT_EQ(finish(answer).error().code, HttpErrc::bad_response);
}

TEST_F(HttpClientTest, ABodyGivenUpBeforeItsLastChunkIsAnError) {
  HttpClientOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{1'000'000, 1'000'000});
  make_client(options);
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" +
                 std::string(100'000, 'x') + "\r\n");
  run_until([&] { return options.buffers->used_bytes() >= 100'000; });
  poll();
  Greedy other{*options.buffers};
  other.change_input(0, 999'000);
  EXPECT_EQ(options.buffers->used_bytes(), 999'000U);
  server[0].send("0\r\n\r\n");
  const Answer result = finish(answer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, HttpErrc::bad_response);
  EXPECT_THAT(result.error().detail, HasSubstr("no room is left for it"));
}

TEST_F(HttpClientTest, CutsALongBodyAndClosesTheConnection) {
  HttpClientOptions options;
  options.body_bytes_max = 5;
  make_client(options);
  ScriptedServer server{executor()};
  auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nFAILURE and much more");
  const Answer result = finish(answer);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body, "FAILU");
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientTest, UsesAnAnswerThatComesBeforeTheBodyWasSent) {
  HttpServerOptions options;
  options.body_bytes_max = 1000;
  serve(options);
  const std::string body(8 << 20, 'b');
  const auto answer = finish(start_post(server_url("/echo"), body));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 413U);
  EXPECT_EQ(client_->idle_connection_count(), 0U);
}

TEST_F(HttpClientTest, EndsAtItsDeadlineInEveryWait) {
  ScriptedServer server{executor()};
  const auto in_lookup = start_get("http://hangs/");
  const auto in_answer = ask(server, 0);
  const auto in_body = ask(server, 1);
  server[1].send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  poll();
  advance(milliseconds{2999});
  poll();
  EXPECT_FALSE(in_lookup->has_value() || in_answer->has_value() || in_body->has_value());
  advance(milliseconds{1});
  EXPECT_EQ(finish(in_lookup).error().code, HttpErrc::timed_out_unsent);
  EXPECT_EQ(finish(in_answer).error().code, HttpErrc::timed_out);
  EXPECT_EQ(finish(in_body).error().code, HttpErrc::timed_out);
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientTest, SendsNothingAfterItsDeadline) {
  ScriptedServer server{executor()};
  HttpClientRequest request;
  request.url = server.url("/");
  const auto answer = await(client_->send(std::move(request), timers_.now()));
  EXPECT_EQ(answer.error().code, HttpErrc::timed_out_unsent);
  poll();
  EXPECT_EQ(server.size(), 0U);
}

TEST_F(HttpClientTest, TriesEveryAddress) {
  serve();
  const auto port = std::to_string(listener_->address().port());
  resolver_.hosts["many"] = {asio::ip::make_address("127.0.0.2"),
                             asio::ip::make_address("127.0.0.1")};
  const auto answer = get("http://many:" + port + "/hello");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "hello you");
  EXPECT_EQ(resolver_.asked, 1);
}

TEST_F(HttpClientTest, NamesWhatRefusedTheConnection) {
  ScriptedServer server{executor()};
  const std::string url = server.url("/");
  server.close();
  const auto answer = get(url);
  EXPECT_EQ(answer.error().code, HttpErrc::connect_failed);
  EXPECT_TRUE(answer.error().code == Condition::retry_later);
  EXPECT_THAT(answer.error().detail, HasSubstr("refused"));
  EXPECT_THAT(answer.error().detail, HasSubstr("connect to 127.0.0.1:"));
}

Task<void> send_and_keep(HttpClient& client, std::string url, SteadyTime deadline,
                         std::optional<Answer>& out) {
  HttpClientRequest request;
  request.url = std::move(url);
  out.emplace(co_await client.send(std::move(request), deadline));
}

TEST_F(HttpClientTest, EndsSoonWhenItsTaskIsCancelled) {
  ScriptedServer server{executor()};
  TaskGroup group{executor()};
  std::optional<Answer> waiting, resolving;
  group.spawn(send_and_keep(*client_, server.url("/a"), in(seconds{3}), waiting));
  group.spawn(send_and_keep(*client_, "http://hangs/", in(seconds{3}), resolving));
  run_until([&] { return server.size() == 1 && server[0].has("\r\n\r\n"); });
  await(group.close());
  ASSERT_TRUE(waiting && resolving);
  EXPECT_EQ(waiting->error().code, HttpErrc::cancelled);
  EXPECT_EQ(resolving->error().code, HttpErrc::cancelled);
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientTest, ClosingEndsRunningRequests) {
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  await(client_->close());
  EXPECT_EQ(finish(answer).error().code, HttpErrc::cancelled);
  EXPECT_EQ(get(server.url("/")).error().code, HttpErrc::closing);
}

}  // namespace
}  // namespace concerto::net::test
