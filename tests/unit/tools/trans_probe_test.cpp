#include "trans_probe.hpp"

#include <gmock/gmock.h>

namespace concerto::tools {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class TransProbeTest : public testing::Test {
 protected:
  void call(std::string_view branch, std::string_view op, std::string_view url,
            Outcome outcome = Outcome::success) {
    BranchCall made;
    made.mode = &modes::tcc;
    made.branch_id = branch;
    made.op = op;
    made.url = url;
    probe_.count_call(made, outcome, milliseconds(3));
  }

  std::string text() const {
    MetricSet metrics;
    probe_.collect(metrics);
    return metrics.text();
  }

  TransProbe probe_{ModeTable::standard()};
};

TEST_F(TransProbeTest, CountsPassesByModeAndTheAgeAtTheirEnd) {
  Transaction trans;
  trans.type = TransType::saga;
  trans.create_time = WallTime{std::chrono::hours(1)};
  trans.update_time = trans.create_time + milliseconds(20);
  probe_.count_pass(trans, true);
  probe_.count_pass(trans, false);
  const std::string shown = text();
  EXPECT_THAT(shown, HasSubstr(R"(dtm_transaction_process_total{model="saga",status="ok"} 1)"));
  EXPECT_THAT(shown, HasSubstr(R"(dtm_transaction_process_total{model="saga",status="fail"} 1)"));
  EXPECT_THAT(shown,
              HasSubstr(R"(dtm_transaction_handled_duration_bucket{model="saga",le="0.01"} 0)"));
  EXPECT_THAT(shown,
              HasSubstr(R"(dtm_transaction_handled_duration_bucket{model="saga",le="0.025"} 2)"));
}

TEST_F(TransProbeTest, CountsWhatLeasesCost) {
  EXPECT_THAT(text(), HasSubstr("concerto_leases_lost_total 0\n"));
  probe_.count_lost_lease();
  probe_.count_call_past_lease();
  probe_.count_call_past_lease();
  EXPECT_THAT(text(), HasSubstr("concerto_leases_lost_total 1\n"));
  EXPECT_THAT(text(), HasSubstr("concerto_calls_past_lease_total 2\n"));
}

TEST_F(TransProbeTest, CountsCallsByBranch) {
  call("01", "confirm", "http://a/x");
  call("01", "confirm", "http://a/x");
  call("01", "cancel", "http://a/x", Outcome::ongoing);
  const std::string shown = text();
  const std::string counter = R"(dtm_branch_process_total{model="tcc",branchid="01",)";
  EXPECT_THAT(shown, HasSubstr(counter + R"(branchtype="confirm",status="ok"} 2)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"(branchtype="cancel",status="fail"} 1)"));
  EXPECT_THAT(shown, HasSubstr(R"(concerto_branch_latency_seconds_count{target="http://a"} 3)"));
}

TEST_F(TransProbeTest, CountsOutcomesByTarget) {
  call("01", "confirm", "http://a/x");
  call("02", "confirm", "http://a/y");
  call("01", "confirm", "http://a/x", Outcome::ongoing);
  call("01", "confirm", "b:9000/p.S/M", Outcome::error);
  call("01", "confirm", "b:9000/p.S/M", Outcome::failure);
  const std::string shown = text();
  const std::string counter = "concerto_branch_calls_total{target=";
  EXPECT_THAT(shown, HasSubstr(counter + R"("http://a",outcome="success"} 2)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"("http://a",outcome="ongoing"} 1)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"("http://a",outcome="error"} 0)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"("b:9000",outcome="error"} 1)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"("b:9000",outcome="failure"} 1)"));
}

TEST_F(TransProbeTest, CountsEndsByModeAndStatus) {
  Transaction trans;
  trans.type = TransType::msg;
  for (const TransStatus status :
       {TransStatus::succeed, TransStatus::succeed, TransStatus::failed}) {
    trans.status = status;
    probe_.count_end(trans);
  }
  const std::string shown = text();
  const std::string counter = R"(concerto_transactions_ended_total{model="msg",status=)";
  EXPECT_THAT(shown, HasSubstr(counter + R"("succeed"} 2)"));
  EXPECT_THAT(shown, HasSubstr(counter + R"("failed"} 1)"));
}

TEST(TransProbe, TakesItsLabelsFromTheTableOfModes) {
  constexpr std::string_view own_ops[] = {"play"};
  Mode own = modes::saga;
  own.type = TransType{7};
  own.name = "own";
  own.ops = own_ops;
  const ModeTable table({&own});
  TransProbe probe(table);
  const auto text = [&probe] {
    MetricSet metrics;
    probe.collect(metrics);
    return metrics.text();
  };
  EXPECT_THAT(text(),
              HasSubstr(R"(concerto_transactions_ended_total{model="own",status="succeed"} 0)"));
  EXPECT_THAT(text(), Not(HasSubstr(R"(model="saga")")));
  BranchCall made;
  made.mode = &own;
  made.branch_id = "01";
  for (const std::string_view op : {"play", "action"}) {
    made.op = op;
    probe.count_call(made, Outcome::success, milliseconds(3));
  }
  const std::string counter = R"(dtm_branch_process_total{model="own",branchid="01",branchtype=)";
  EXPECT_THAT(text(), HasSubstr(counter + R"("play",status="ok"} 1)"));
  EXPECT_THAT(text(), HasSubstr(counter + R"("other",status="ok"} 1)"));
  Transaction of_another_version;
  of_another_version.type = TransType{6};
  of_another_version.status = TransStatus::failed;
  probe.count_end(of_another_version);
  EXPECT_THAT(text(),
              HasSubstr(R"(concerto_transactions_ended_total{model="unknown",status="failed"} 1)"));
}

TEST_F(TransProbeTest, ShowsNoUserOfAUrl) {
  call("01", "confirm", "http://me:secret@a/x");
  call("01", "confirm", "http://a/x");
  EXPECT_THAT(text(), HasSubstr(R"(concerto_branch_latency_seconds_count{target="http://a"} 2)"));
  EXPECT_THAT(text(), Not(HasSubstr("secret")));
}

TEST_F(TransProbeTest, BoundsItsLabels) {
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(i);
    call(n, "step " + n, "http://host" + n + "/x");
  }
  const std::string shown = text();
  EXPECT_THAT(shown, HasSubstr(R"(branchid="99",branchtype="other")"));
  EXPECT_THAT(shown, HasSubstr(R"(branchid="other",branchtype="other")"));
  EXPECT_THAT(shown, Not(HasSubstr(R"(branchid="100")")));
  EXPECT_THAT(shown, HasSubstr(R"(_count{target="other"} 800)"));
  EXPECT_THAT(shown, HasSubstr(R"(_count{target="http://host199"} 1)"));
  EXPECT_THAT(shown, Not(HasSubstr(R"(target="http://host200")")));
}

}  // namespace
}  // namespace concerto::tools
