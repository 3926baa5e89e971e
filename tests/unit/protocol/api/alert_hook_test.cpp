#include <gmock/gmock.h>

#include <concerto/protocol/alert_hook.hpp>

#include "coordinator_world.hpp"
#include "http/client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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

  void report(std::int64_t retry_count, const std::string& error = "branch said: 500",
              const std::string& gid = "al1", TransStatus status = TransStatus::submitted,
              const std::string& branch = "http://b/s") {
    Transaction trans;
    trans.gid = Gid(gid);
    trans.status = status;
    hook_->report({trans, branch, error, retry_count});
  }

  concerto::test::RecordingObserver observer_;
  std::unique_ptr<AlertHook> hook_;
};

TEST_F(AlertHookTest, PostsTheTroubleOfATransaction) {
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

TEST_F(AlertHookTest, LogsAlertsThatAreNotDelivered) {
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

TEST_F(AlertHookTest, LogsNothingOfItsUrlBehindTheHost) {
  ScriptedServer server{executor()};
  make_hook(server.url("/services/T0123/B0?x=y"));
  report(3);
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  advance(seconds(4));
  run_until([&] { return observer_.lines.size() == 1; });
  EXPECT_THAT(observer_.lines[0], HasSubstr("answer of " + server.url("/***")));
  EXPECT_THAT(observer_.lines[0], Not(HasSubstr("B0")));
  EXPECT_EQ(check_alert_url("ftp://h/T0123").error().detail,
            "expected an http or https URL, found 'ftp://h/***'");
}

TEST_F(AlertHookTest, SendsTextThatJsonMayCarry) {
  ScriptedServer server{executor()};
  make_hook(server.url("/alert"));
  report(3, "bytes \xFF");
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  EXPECT_THAT(server[0].received(), HasSubstr("\"error\":\"bytes \xEF\xBF\xBD\""));
}

TEST_F(AlertHookTest, DropsAlertsThatAHangingHookDoesNotTake) {
  make_hook("http://hangs/");
  for (std::size_t i = 0; i < AlertHook::in_flight_max; ++i) report(3, "x", std::to_string(i));
  EXPECT_THAT(observer_.lines, IsEmpty());
  report(3);
  ASSERT_EQ(observer_.lines.size(), 1U);
  EXPECT_THAT(observer_.lines[0], HasSubstr("alert dropped"));
  poll();
}

TEST_F(AlertHookTest, AlertsOncePerTransactionAndLevel) {
  make_hook("http://hangs/");
  for (int pass = 0; pass < 100; ++pass) report(3);
  EXPECT_EQ(hook_->on_their_way(), 1U);
  report(4);
  report(3);  // A level that was reported already is not reported again.
  report(4);
  EXPECT_EQ(hook_->on_their_way(), 2U);
  report(4, "x", "al1", TransStatus::aborting);
  report(4, "x", "al1", TransStatus::submitted, "http://other/s");
  report(4, "x", "al2");
  EXPECT_EQ(hook_->on_their_way(), 5U);
  poll();
}

TEST_F(AlertHookTest, AlertsAgainAfterALostAlert) {
  ScriptedServer server{executor()};
  make_hook(server.url("/alert"));
  report(3);
  run_until([&] { return server.size() == 1 && server[0].has("}"); });
  server[0].send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return hook_->probe().lost.value() == 1; });
  report(3);
  run_until([&] { return server[0].has("}POST"); });
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return hook_->probe().sent.value() == 1; });
  report(3);
  EXPECT_EQ(hook_->on_their_way(), 0U);
}

TEST_F(AlertHookTest, AHangingHookCausesOneLineForManyLostAlerts) {
  make_hook("http://hangs/");
  const std::size_t dropped = 1'000;
  for (std::size_t i = 0; i < AlertHook::in_flight_max + dropped; ++i) {
    report(3, "x", std::to_string(i));
  }
  EXPECT_EQ(observer_.lines.size(), 1U);
  EXPECT_EQ(hook_->probe().lost.value(), dropped);
  poll();
}

TEST_F(AlertHookTest, RemembersALimitedNumberOfTransactions) {
  make_hook("http://hangs/");
  for (std::size_t i = 0; i < 3 * AlertHook::told_max; ++i) report(3, "x", std::to_string(i));
  EXPECT_LE(hook_->told_count(), AlertHook::told_max);
  poll();
}

TEST_F(AlertHookTest, SendsNothingWithoutAUrl) {
  make_hook("");
  report(9);
  poll();
  EXPECT_THAT(observer_.lines, IsEmpty());
}

}  // namespace
}  // namespace concerto::net::test
