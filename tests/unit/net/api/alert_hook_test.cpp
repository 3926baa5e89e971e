#include <gmock/gmock.h>

#include <concerto/net/alert_hook.hpp>

#include "coordinator_world.hpp"
#include "http/client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

class AlertHookTest : public ClientTest {
 protected:
  void TearDown() override {
    if (hook_) await(hook_->close());
    ClientTest::TearDown();
  }

  void make_hook(const std::string& url) {
    hook_ = std::make_unique<AlertHook>(executor(), timers_, *client_, observer_,
                                        AlertOptions{url, 3, seconds(3)});
  }

  void report(std::int64_t retry_count, const std::string& error = "branch said: 500") {
    Transaction trans;
    trans.gid = Gid("al1");
    trans.status = TransStatus::submitted;
    hook_->report({trans, "http://b/s", error, retry_count});
  }

  concerto::test::RecordingObserver observer_;
  std::unique_ptr<AlertHook> hook_;
};

TEST_F(AlertHookTest, PostsWhatThePageSays) {
  ScriptedServer server{executor()};
  make_hook(server.url("/alert"));
  report(2);
  report(3);
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  EXPECT_THAT(server[0].received(), HasSubstr("POST /alert HTTP/1.1\r\n"));
  EXPECT_THAT(server[0].received(), HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(server[0].received(),
              HasSubstr(R"({"branch":"http://b/s","error":"branch said: 500","gid":"al1",)"
                        R"("retry_count":3,"status":"submitted"})"));
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return client_->idle_connection_count() == 1; });
  EXPECT_THAT(observer_.lines, IsEmpty());
}

TEST_F(AlertHookTest, LogsWhatIsNotDelivered) {
  ScriptedServer server{executor()};
  make_hook(server.url("/alert"));
  report(3);
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  server[0].send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return observer_.lines.size() == 1; });
  EXPECT_EQ(observer_.lines[0], "al1: the alert hook answered 503");

  server.close();
  make_hook("http://nobody/");
  report(3);
  run_until([&] { return observer_.lines.size() == 2; });
  EXPECT_THAT(observer_.lines[1], HasSubstr("al1: alert not delivered: "));
}

TEST_F(AlertHookTest, SendsTextThatJsonMayCarry) {
  ScriptedServer server{executor()};
  make_hook(server.url("/alert"));
  report(3, "bytes \xFF");
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  EXPECT_THAT(server[0].received(), HasSubstr("\"error\":\"bytes \xEF\xBF\xBD\""));
}

TEST_F(AlertHookTest, DropsWhatAHookThatHangsDoesNotTake) {
  make_hook("http://hangs/");
  for (std::size_t i = 0; i < AlertHook::in_flight_max; ++i) report(3);
  EXPECT_THAT(observer_.lines, IsEmpty());
  report(3);
  ASSERT_EQ(observer_.lines.size(), 1U);
  EXPECT_THAT(observer_.lines[0], HasSubstr("alert dropped"));
  poll();
}

TEST_F(AlertHookTest, WithoutAUrlTellsNobody) {
  make_hook("");
  report(9);
  poll();
  EXPECT_THAT(observer_.lines, IsEmpty());
}

}  // namespace
}  // namespace concerto::net::test
