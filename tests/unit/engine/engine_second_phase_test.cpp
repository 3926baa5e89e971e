// TCC and XA: branches are registered, and called in a second phase.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

BranchRequest make_branch(const std::string& gid, const std::string& type, const std::string& id) {
  BranchRequest request;
  request.gid = Gid(gid);
  request.trans_type = type;
  request.branch_id = id;
  request.payload = "payload " + id;
  if (type == "tcc") request.fields = {{"confirm", "f" + id}, {"cancel", "b" + id}};
  if (type == "xa") request.fields = {{"url", "u" + id}};
  return request;
}

/// What the two modes call, and in which order.
struct PhaseCase {
  const char* type;
  const char* forward;
  const char* backward;
  std::vector<std::string> order;  ///< of branches 01 and 02
};

void PrintTo(const PhaseCase& row, std::ostream* out) {
  *out << row.type;
}

class SecondPhase : public EngineFixture, public testing::WithParamInterface<PhaseCase> {
 protected:
  std::string type() const { return GetParam().type; }
  TransRequest make(const std::string& gid) { return make_request(gid, type(), 0); }
  BranchRequest branch(const std::string& gid, const std::string& id) {
    return make_branch(gid, type(), id);
  }
  std::string first(const char* op) const { return std::string(op) + " " + GetParam().order[0]; }
  std::string second(const char* op) const { return std::string(op) + " " + GetParam().order[1]; }
  const char* forward() const { return GetParam().forward; }
  const char* backward() const { return GetParam().backward; }

  void prepare_with_two_branches(const std::string& gid, TransOptions options = {}) {
    auto request = make(gid);
    request.options = std::move(options);
    EXPECT_EQ(error_of(prepare(request)), "");
    EXPECT_EQ(error_of(register_branch(branch(gid, "01"))), "");
    EXPECT_EQ(error_of(register_branch(branch(gid, "02"))), "");
  }
};

TEST_P(SecondPhase, CallsForwardOneByOneAfterTheSubmit) {
  prepare_with_two_branches("g");
  branches_->hold(first(forward()));
  const auto result = submit_and_wait(make("g"));
  EXPECT_THAT(branches_->calls, ElementsAre(first(forward())));
  branches_->answer(first(forward()), Outcome::success);
  world_->run();
  EXPECT_EQ(error_of(result), "");
  EXPECT_THAT(branches_->calls, ElementsAre(first(forward()), second(forward())));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(branch_statuses("g"), "PSPS");
}

TEST_P(SecondPhase, CarriesPayloadAndUrlOfTheBranch) {
  prepare_with_two_branches("g");
  submit(make("g"));
  ASSERT_EQ(branches_->requests.size(), 2U);
  const Transaction trans = query("g");
  ASSERT_EQ(trans.branches.size(), 4U);
  EXPECT_EQ(trans.branches[0].op, backward());
  EXPECT_EQ(trans.branches[1].op, forward());
  EXPECT_EQ(trans.payloads[trans.branches[2].payload], "payload 02");
  EXPECT_EQ(trans.payloads[trans.branches[3].payload], "payload 02");
  EXPECT_EQ(trans.branches[3].url, type() == "tcc" ? "f02" : "u02");
  EXPECT_EQ(trans.branches[2].url, type() == "tcc" ? "b02" : "u02");
}

TEST_P(SecondPhase, CallsBackwardAfterAnAbort) {
  prepare_with_two_branches("g");
  auto request = make("g");
  request.rollback_reason = "balance too low";
  EXPECT_EQ(error_of(abort(request)), "");
  EXPECT_THAT(branches_->calls, ElementsAre(first(backward()), second(backward())));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(query("g").rollback_reason, "balance too low");
  EXPECT_EQ(branch_statuses("g"), "SPSP");
}

TEST_P(SecondPhase, WithoutBranchesEndsAtOnce) {
  EXPECT_EQ(error_of(submit_and_wait(make("new"))), "");
  EXPECT_EQ(status("new"), TransStatus::succeed);
  prepare(make("g"));
  EXPECT_EQ(error_of(abort(make("g"))), "");
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_THAT(branches_->calls, IsEmpty());
}

TEST_P(SecondPhase, IgnoresStepsOfTheRequest) {
  EXPECT_EQ(error_of(submit_and_wait(make_request("g", type(), 2))), "");
  EXPECT_THAT(query("g").branches, IsEmpty());
  EXPECT_THAT(query("g").payloads, IsEmpty());
}

TEST_P(SecondPhase, OngoingIsReportedAndAskedAgain) {
  prepare_with_two_branches("g");
  branches_->reply(first(forward()), Outcome::ongoing);
  const auto result = submit_and_wait(make("g"));
  EXPECT_TRUE(code_of(result) == EngineErrc::branch_ongoing);
  EXPECT_EQ(error_of(result), "ONGOING");
  EXPECT_THAT(branches_->calls, ElementsAre(first(forward())))
      << "the next call waits for this one";
  world_->advance(seconds(10));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_P(SecondPhase, FailureIsRetriedForEverAndRollsNothingBack) {
  prepare_with_two_branches("g");
  branches_->reply(first(forward()), Outcome::failure, "no");
  branches_->reply(first(forward()), Outcome::error, "down");
  const auto result = submit_and_wait(make("g"));
  EXPECT_TRUE(code_of(result) == EngineErrc::branch_failure);
  EXPECT_THAT(error_of(result),
              HasSubstr("the branch call has no defined result and will be retried: no FAILURE"));
  EXPECT_EQ(query("g").next_cron_interval, seconds(20));
  world_->advance(seconds(22));
  EXPECT_EQ(query("g").next_cron_interval, seconds(40));
  EXPECT_EQ(status("g"), TransStatus::submitted);
  world_->advance(seconds(44));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_P(SecondPhase, RollsBackAfterItsTimeout) {
  TransOptions options;
  options.timeout_to_fail = seconds(3);
  prepare_with_two_branches("g", options);
  world_->advance(milliseconds(2'999));
  EXPECT_EQ(status("g"), TransStatus::prepared);
  world_->advance(milliseconds(1));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(query("g").rollback_reason, "Timeout after 3 seconds");
  EXPECT_EQ(error_of(register_branch(branch("g", "03"))),
            "no trans with gid: g status: prepared found FAILURE");
  EXPECT_EQ(error_of(submit(make("g"))), "current status 'failed', cannot submit. FAILURE");
}

TEST_P(SecondPhase, HasADefaultTimeoutUntilItIsSubmitted) {
  prepare_with_two_branches("late");
  prepare_with_two_branches("g");
  branches_->hold(first(forward()));
  submit(make("g"));
  world_->advance(seconds(35));
  EXPECT_EQ(status("late"), TransStatus::failed);
  EXPECT_EQ(status("g"), TransStatus::submitted);
}

TEST_P(SecondPhase, AbortWithStoredWaitResultReturnsTheResultOfThePass) {
  TransOptions options;
  options.wait_result = true;
  auto request = make("g");
  request.rollback_reason = "why";
  prepare_with_two_branches("g", options);
  branches_->reply(second(backward()), Outcome::ongoing);
  branches_->reply(second(backward()), Outcome::error, "down");
  EXPECT_EQ(error_of(abort(request)), "ONGOING");
  EXPECT_THAT(error_of(abort(request)),
              HasSubstr("the branch call has no defined result and will be retried: down"));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  EXPECT_EQ(error_of(abort(request)), "");
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(error_of(abort(request)),
            "trans type: '" + type() + "' current status 'failed', cannot abort. FAILURE");
}

TEST_P(SecondPhase, ALaterAbortMayGiveAnotherReason) {
  prepare_with_two_branches("g");
  branches_->hold(first(backward()));
  abort(make("g"));
  auto request = make("g");
  request.rollback_reason = "second thoughts";
  EXPECT_EQ(error_of(abort(request)), "");
  EXPECT_EQ(query("g").rollback_reason, "second thoughts");
  branches_->answer(first(backward()), Outcome::success);
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_P(SecondPhase, ASubmittedTransactionIsNotAborted) {
  prepare_with_two_branches("g");
  branches_->hold(first(forward()));
  submit(make("g"));
  EXPECT_EQ(error_of(abort(make("g"))),
            "trans type: '" + type() + "' current status 'submitted', cannot abort. FAILURE");
  EXPECT_EQ(error_of(register_branch(branch("g", "03"))),
            "no trans with gid: g status: prepared found FAILURE");
}

TEST_P(SecondPhase, ASecondSubmitCallsTheStoredBranches) {
  prepare_with_two_branches("g");
  branches_->reply(first(forward()), Outcome::error);
  submit(make("g"));
  EXPECT_EQ(error_of(submit_and_wait(make("g"))), "");
  EXPECT_THAT(branches_->calls, ElementsAre(first(forward()), first(forward()), second(forward())));
}

TEST_P(SecondPhase, ABranchIsRegisteredOnce) {
  prepare_with_two_branches("g");
  const auto again = register_branch(branch("g", "01"));
  EXPECT_TRUE(code_of(again) == EngineErrc::branch_exists);
  EXPECT_EQ(error_of(again), "storage: UniqueKeyConflict");
  EXPECT_EQ(query("g").branches.size(), 4U);
  EXPECT_EQ(error_of(register_branch(branch("g", "03"))), "");
}

TEST_P(SecondPhase, ForceStopCallsNothing) {
  prepare_with_two_branches("g");
  EXPECT_EQ(error_of(force_stop("g")), "");
  world_->advance(std::chrono::hours(1));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_THAT(branches_->calls, IsEmpty());
}

TEST_P(SecondPhase, GoesOnAfterACrash) {
  prepare_with_two_branches("forward");
  prepare_with_two_branches("backward");
  prepare_with_two_branches("waits");
  branches_->hold(first(forward()));
  branches_->hold(first(backward()));
  submit(make("forward"));
  abort(make("backward"));
  restart_after_crash();
  world_->run();
  EXPECT_EQ(status("forward"), TransStatus::succeed);
  EXPECT_EQ(status("backward"), TransStatus::failed);
  EXPECT_EQ(status("waits"), TransStatus::prepared);
  EXPECT_EQ(error_of(register_branch(branch("waits", "01"))), "storage: UniqueKeyConflict");
  world_->advance(seconds(35));
  EXPECT_EQ(query("waits").rollback_reason, "Timeout after 35 seconds");
}

INSTANTIATE_TEST_SUITE_P(Modes, SecondPhase,
                         testing::Values(PhaseCase{"tcc", "confirm", "cancel", {"02", "01"}},
                                         PhaseCase{"xa", "commit", "rollback", {"01", "02"}}),
                         [](const auto& row) { return row.param.type; });

struct RefusedBranch {
  const char* name;
  void (*spoil)(BranchRequest&);
  std::string want;
};

void PrintTo(const RefusedBranch& row, std::ostream* out) {
  *out << row.name;
}

class RegisterBranch : public EngineFixture, public testing::WithParamInterface<RefusedBranch> {};

TEST_P(RegisterBranch, RefusesInvalidBranches) {
  prepare(make_request("g", "tcc", 0));
  prepare(make_request("m", "msg", 1));
  BranchRequest request = make_branch("g", "tcc", "01");
  request.from_wire = true;  // Otherwise the fields of another type are refused first.
  GetParam().spoil(request);
  EXPECT_EQ(error_of(register_branch(request)), GetParam().want);
  EXPECT_THAT(query("g").branches, IsEmpty());
  EXPECT_EQ(query("m").branches.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Requests, RegisterBranch,
    testing::Values(
        RefusedBranch{"NoGid", [](BranchRequest& r) { r.gid = Gid(); }, "gid is empty"},
        RefusedBranch{"UnknownGid", [](BranchRequest& r) { r.gid = Gid("no"); },
                      "no trans with gid: no status: prepared found FAILURE"},
        RefusedBranch{"UnknownType", [](BranchRequest& r) { r.trans_type = "tc"; },
                      "unknown trans type: tc"},
        RefusedBranch{"ModeWithoutRegistration", [](BranchRequest& r) { r.trans_type = "saga"; },
                      "unknown trans type: saga"},
        RefusedBranch{"OtherType", [](BranchRequest& r) { r.trans_type = "xa"; },
                      "gid g is of type tcc, not xa. FAILURE"},
        RefusedBranch{"TypeOfAnotherMode", [](BranchRequest& r) { r.gid = Gid("m"); },
                      "gid m is of type msg, not tcc. FAILURE"},
        RefusedBranch{"NoBranchId", [](BranchRequest& r) { r.branch_id = ""; },
                      "branch_id is empty"},
        RefusedBranch{"LongBranchId", [](BranchRequest& r) { r.branch_id.assign(129, '1'); },
                      "branch_id has 129 characters, at most 128 are allowed"},
        RefusedBranch{"LongUrl", [](BranchRequest& r) { r.fields["cancel"].assign(8193, 'u'); },
                      "cancel has 8193 bytes, at most 8192 are allowed"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::test
