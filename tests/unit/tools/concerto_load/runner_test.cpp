#include "runner.hpp"

#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "fake_clock.hpp"

namespace concerto::load {
namespace {

using std::chrono::milliseconds;

/// A coordinator on the test's clock: each request takes as long as the test says.
class ScriptedClient final : public CoordinatorClient {
 public:
  ScriptedClient(Timers& timers, const Scenario& scenario)
      : CoordinatorClient(Wire::http, scenario), timers_(timers) {}

  std::function<milliseconds()> duration = [] { return milliseconds(10); };
  bool fails = false;
  std::string_view failure = "HTTP 500: no";
  std::size_t in_flight = 0;
  std::size_t in_flight_max = 0;

 protected:
  Async<> send(const EncodedRequest&, std::string) override {
    in_flight_max = std::max(in_flight_max, ++in_flight);
    co_await sleep_until(timers_, timers_.now() + duration());
    --in_flight;
    if (fails) co_return make_error(EngineErrc::branch_error, std::string(failure));
    co_return ok();
  }

 private:
  Timers& timers_;
};

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    scenario_.requests.push_back({Api::submit, TransRequest{}});
    scenario_.ends_with_reply = true;
    client_.emplace(timers_, scenario_);
  }

  /// Offers a period of load, from its beginning to the end of its last transaction.
  void offer(Runner::Period period) {
    runner_.emplace(io_.get_executor(), timers_, options_, scenario_, *client_, ledger_, tally_,
                    findings_);
    tally_.start(timers_.now());
    TaskGroup tasks(io_.get_executor());
    tasks.spawn(runner_->offer(period));
    for (;;) {
      io_.restart();
      io_.poll();
      if (tasks.size() == 0) break;
      clock_.advance(std::max(timers_.earliest() - timers_.now(), next_pause_));
      next_pause_ = {};
      timers_.run_due();
    }
    tally_.stop(timers_.now());
  }

  asio::io_context io_{1};
  test::FakeClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  LoadOptions options_;
  Scenario scenario_;
  CallLedger ledger_{"t", {}};
  Tally tally_;
  CheckFindings findings_;
  std::optional<ScriptedClient> client_;
  std::optional<Runner> runner_;
  std::chrono::nanoseconds next_pause_{};  ///< for so long the load itself does not run
};

TEST_F(RunnerTest, KeepsSoManyInFlight) {
  options_.in_flight = 3;
  offer({1, 0});
  EXPECT_EQ(client_->in_flight_max, 3U);
  EXPECT_EQ(tally_.latency_us().count(), 300U);
  EXPECT_EQ(tally_.latency_us().max(), 10'000U);
  EXPECT_EQ(ledger_.acknowledged_count(), 300U);
}

TEST_F(RunnerTest, EndsAfterSoManyTransactions) {
  options_.in_flight = 8;
  offer({1'000, 20});
  EXPECT_EQ(tally_.latency_us().count(), 20U);
  EXPECT_EQ(ledger_.begun(), 20U);
}

TEST_F(RunnerTest, BeginsAtEvenTimes) {
  options_.rate = 100;
  client_->duration = [] { return milliseconds(500); };
  offer({2, 0});
  EXPECT_EQ(tally_.latency_us().count(), 200U);
  EXPECT_EQ(client_->in_flight_max, 50U);
  EXPECT_EQ(tally_.latency_us().max(), 500'000U);
}

TEST_F(RunnerTest, EndsARateAfterSoManyTransactions) {
  options_.rate = 100;
  offer({1'000, 20});
  EXPECT_EQ(ledger_.begun(), 20U);
  EXPECT_NEAR(tally_.duration(), 0.2, 0.011);
}

TEST_F(RunnerTest, CountsLatenessFromTheTimeItWasToBegin) {
  options_.rate = 1'000;
  client_->duration = [] { return milliseconds(0); };
  next_pause_ = milliseconds(300);
  offer({1, 0});
  const Histogram& latency = tally_.latency_us();
  EXPECT_EQ(latency.count(), 1'000U);
  EXPECT_NEAR(static_cast<double>(latency.max()), 300'000, 2'000);
  EXPECT_LT(latency.value_at(0.69), 2'000U);
  EXPECT_NEAR(static_cast<double>(latency.value_at(0.85)), 150'000, 3'000);
}

TEST_F(RunnerTest, EndsWithMoreFailuresThanAllowed) {
  options_.in_flight = 1;
  options_.failures_max = 4;
  client_->fails = true;
  offer({1'000, 0});
  EXPECT_EQ(tally_.failures().count(), 5U);
  EXPECT_EQ(ledger_.acknowledged_count(), 0U);
  ASSERT_EQ(tally_.failures().kinds().size(), 1U);
  EXPECT_EQ(tally_.failures().kinds()[0].text, "HTTP 500: no");
  EXPECT_EQ(tally_.failures().kinds()[0].first_gid, "t-0000000000");
}

TEST_F(RunnerTest, FindsATransactionThatIsAcknowledgedTooEarly) {
  ledger_ = CallLedger("t", {{{"01", "action"}}, {}});
  offer({1'000, 1});
  ASSERT_EQ(findings_.count(), 1U);
  EXPECT_EQ(findings_.kept()[0].gid, "t-0000000000");
  EXPECT_EQ(findings_.kept()[0].text, "acknowledged too early: calls that did not come: action 01");
  EXPECT_EQ(findings_.count(Wrong::calls), 1U);
  EXPECT_EQ(ledger_.incomplete_count(), 0U);  // it has been told
}

TEST_F(RunnerTest, CountsARefusalOnPurposeAsAnEnd) {
  ledger_ = CallLedger("t", {}, {1, 0});
  client_->fails = true;
  client_->failure = "HTTP 409: url:http://h/a return failed: refused on purpose FAILURE";
  offer({1'000, 20});
  EXPECT_EQ(tally_.failures().count(), 0U);
  EXPECT_EQ(tally_.latency_us().count(), 20U);
  EXPECT_EQ(tally_.rolled_back_us().count(), 20U);
  EXPECT_EQ(ledger_.acknowledged_count(), 20U);
}

TEST_F(RunnerTest, TakesAnErrorOnPurposeForNoEnd) {
  ledger_ = CallLedger("t", {}, {0, 1});
  client_->fails = true;
  client_->failure = "gRPC Aborted: wait result not return success: FAILURE";
  offer({1'000, 20});
  EXPECT_EQ(tally_.failures().count(), 0U);
  EXPECT_EQ(tally_.latency_us().count(), 0U);
  EXPECT_EQ(ledger_.acknowledged_count(), 20U);
}

TEST_F(RunnerTest, CountsARefusalWithoutPurposeAsAFailure) {
  for (const Purposes purposes : {Purposes{0, 1}, Purposes{1, 0}}) {
    ledger_ = CallLedger("t", {}, purposes);
    tally_ = Tally();
    client_->fails = true;
    client_->failure = purposes.fails(0) ? "HTTP 503: the store is away"
                                         : "HTTP 409: return failed: refused on purpose FAILURE";
    offer({1'000, 0});
    EXPECT_GT(tally_.failures().count(), 0U);
    EXPECT_EQ(ledger_.acknowledged_count(), 0U);
  }
}

}  // namespace
}  // namespace concerto::load
