#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;

class EngineWorkflow : public EngineFixture {
 protected:
  static TransRequest make_workflow(const std::string& gid) {
    auto request = make_request(gid, "workflow", 0);
    request.query_prepared = "resume";
    request.custom_data = R"({"name":"wf1","data":"eyJhIjoxfQ=="})";
    return request;
  }

  static TransRequest make_end(const std::string& gid, const std::string& status) {
    auto request = make_request(gid, "workflow", 0);
    request.extra = {{"status", status}, {"result", "AQI="}, {"rollback_reason", ""}};
    return request;
  }

  Pending<Result<>> record_step(const std::string& gid, const std::string& id,
                                const std::string& op = "action",
                                const std::string& status = "succeed") {
    BranchRequest request;
    request.gid = Gid(gid);
    request.trans_type = "workflow";
    request.branch_id = id;
    request.payload = "result of " + id;
    request.fields = {{"op", op}, {"status", status}};
    return register_branch(std::move(request));
  }
};

TEST_F(EngineWorkflow, KeepsTheResultsOfItsSteps) {
  const auto created = prepare_workflow(make_workflow("w"));
  EXPECT_EQ(error_of(created), "");
  EXPECT_EQ((*created)->value().status, TransStatus::prepared);
  EXPECT_THAT((*created)->value().branches, IsEmpty());
  EXPECT_EQ(error_of(record_step("w", "01")), "");
  EXPECT_EQ(error_of(record_step("w", "02", "action", "failed")), "");
  EXPECT_EQ(error_of(record_step("w", "01", "rollback")), "");
  EXPECT_EQ(error_of(record_step("w", "01")), "storage: UniqueKeyConflict");

  const auto again = prepare_workflow(make_workflow("w"));
  const Transaction& stored = (*again)->value();
  ASSERT_THAT(stored.branches, SizeIs(3));
  EXPECT_EQ(stored.branches[0].status, BranchStatus::succeed);
  EXPECT_EQ(stored.branches[1].status, BranchStatus::failed);
  EXPECT_EQ(stored.branches[2].op, "rollback");
  EXPECT_EQ(stored.payloads[stored.branches[1].payload], "result of 02");
  EXPECT_THAT(branches_->calls, IsEmpty());
}

TEST_F(EngineWorkflow, EndsAsItsApplicationSubmits) {
  prepare_workflow(make_workflow("w"));
  EXPECT_EQ(error_of(submit(make_end("w", "succeed"))), "");
  EXPECT_EQ(query("w").status, TransStatus::succeed);
  EXPECT_EQ(query("w").result, "AQI=");
  EXPECT_EQ(query("w").query_prepared, "resume");
  EXPECT_TRUE(query("w").finish_time.has_value());

  prepare_workflow(make_workflow("v"));
  auto failed = make_end("v", "failed");
  failed.extra["rollback_reason"] = "no stock FAILURE";
  EXPECT_EQ(error_of(submit(failed)), "");
  EXPECT_EQ(query("v").status, TransStatus::failed);
  EXPECT_EQ(query("v").rollback_reason, "no stock FAILURE");

  world_->advance(std::chrono::hours(1));
  EXPECT_THAT(branches_->calls, IsEmpty()) << "nobody resumes what has ended";
  EXPECT_EQ((*prepare_workflow(make_workflow("w")))->value().result, "AQI=");
}

TEST_F(EngineWorkflow, IsSubmittedOnlyWhilePrepared) {
  EXPECT_EQ(error_of(submit(make_end("none", "succeed"))), "storage: NotFound");
  prepare_workflow(make_workflow("w"));
  for (const char* status : {"", "weird", "prepared", "aborting"}) {
    EXPECT_EQ(error_of(submit(make_end("w", status))),
              std::string("req_extra.status must be 'succeed' or 'failed', not '") + status + "'");
  }
  EXPECT_EQ(error_of(submit(make_end("w", "failed"))), "");
  EXPECT_EQ(error_of(submit(make_end("w", "succeed"))), "storage: NotFound");
  EXPECT_EQ(error_of(record_step("w", "01")),
            "no trans with gid: w status: prepared found FAILURE");
}

TEST_F(EngineWorkflow, IsResumedWithItsNameAndDataUntilItHasEnded) {
  branches_->hold("wf1 00");
  prepare_workflow(make_workflow("w"));
  world_->advance(milliseconds(9'999));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(milliseconds(1));
  ASSERT_THAT(branches_->calls, ElementsAre("wf1 00"));
  EXPECT_EQ(branches_->requests[0].url, "resume");
  EXPECT_EQ(branches_->requests[0].payload, R"({"a":1})");
  // The application runs the workflow during the call.
  EXPECT_EQ(error_of(record_step("w", "01")), "");
  branches_->answer("wf1 00", Outcome::success);
  world_->advance(seconds(10));
  ASSERT_THAT(branches_->calls, SizeIs(2)) << "an answer alone does not end it";
  EXPECT_EQ(error_of(submit(make_end("w", "succeed"))), "");
  branches_->answer("wf1 00", Outcome::success);
  world_->advance(std::chrono::hours(1));
  EXPECT_THAT(branches_->calls, SizeIs(2));
  EXPECT_EQ(status("w"), TransStatus::succeed);
}

TEST_F(EngineWorkflow, ResumesWithItsOwnIntervalAndBacksOffAfterErrors) {
  branches_->reply("wf1 00", Outcome::failure, "not yet");
  branches_->reply("wf1 00", Outcome::ongoing);
  branches_->reply("wf1 00", Outcome::error, "down");
  auto request = make_workflow("w");
  request.options.retry_interval = seconds(4);
  prepare_workflow(request);
  world_->advance(seconds(4));
  EXPECT_THAT(branches_->calls, SizeIs(1));
  world_->advance(seconds(4));
  EXPECT_THAT(branches_->calls, SizeIs(2));
  world_->advance(seconds(4));
  EXPECT_THAT(branches_->calls, SizeIs(3));
  EXPECT_EQ(query("w").next_cron_interval, seconds(8));
  EXPECT_EQ(status("w"), TransStatus::prepared);
  world_->advance(seconds(9));
  EXPECT_THAT(branches_->calls, SizeIs(4));
}

TEST_F(EngineWorkflow, IsResumedAtItsTimeAfterACrash) {
  prepare_workflow(make_workflow("w"));
  record_step("w", "01");
  world_->advance(seconds(6));
  restart_after_crash();
  world_->advance(milliseconds(3'999));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("wf1 00"));
  EXPECT_THAT(query("w").branches, SizeIs(1));
}

TEST_F(EngineWorkflow, NeitherAbortsNorTimesOut) {
  auto request = make_workflow("w");
  request.options.timeout_to_fail = seconds(3);
  prepare_workflow(request);
  EXPECT_EQ(error_of(abort(make_workflow("w"))),
            "trans type: 'workflow' current status 'prepared', cannot abort. FAILURE");
  world_->advance(seconds(60));
  EXPECT_EQ(status("w"), TransStatus::prepared);
  EXPECT_EQ(error_of(force_stop("w")), "");
  EXPECT_EQ(status("w"), TransStatus::failed);
}

TEST_F(EngineWorkflow, RefusesDataThatNoCallCanCarry) {
  auto request = make_workflow("w");
  request.custom_data = R"({"name":"wf1","data":"bm90IGNhcnJpZWQ="})";  // `not carried`
  request.protocol = "json-rpc";
  EXPECT_EQ(error_of(prepare_workflow(request)), "query_prepared: this payload is not taken");
  EXPECT_EQ(store_.commits(), 0U);
  request.protocol = "http";
  EXPECT_EQ(error_of(prepare_workflow(request)), "");
}

TEST_F(EngineWorkflow, RefusesInvalidRequests) {
  auto request = make_workflow("w");
  request.custom_data = "";
  EXPECT_EQ(error_of(prepare_workflow(request)), "custom_data: name is missing");
  request.custom_data = R"({"name":1})";
  EXPECT_EQ(error_of(prepare_workflow(request)), "custom_data: name is not a string");
  request.custom_data = R"({"name":"n","data":"***"})";
  EXPECT_EQ(error_of(prepare_workflow(request)), "custom_data: data is not base64");
  request.trans_type = "saga";
  request.custom_data = "";
  EXPECT_EQ(error_of(prepare_workflow(request)), "trans_type must be 'workflow', not 'saga'");
  prepare(make_request("t", "tcc", 0));
  EXPECT_EQ(error_of(prepare_workflow(make_workflow("t"))),
            "gid t is of type tcc, not workflow. FAILURE");
  prepare_workflow(make_workflow("v"));
  EXPECT_EQ(error_of(record_step("v", "01", "")), "op has 0 characters, 1 to 45 are allowed");
  EXPECT_EQ(error_of(record_step("v", "01", "action", "done")),
            "status must be 'prepared', 'succeed' or 'failed', not 'done'");
  EXPECT_THAT(query("v").branches, IsEmpty());
}

}  // namespace
}  // namespace concerto::test
