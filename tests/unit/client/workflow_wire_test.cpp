// Workflows over HTTP, request by request: the wire is that of the Go SDK (protocol page 08,
// section 5).

#include <gmock/gmock.h>

#include <concerto/barrier/barrier_error.hpp>
#include <concerto/base/base64.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/client/workflows.hpp>

#include "client_wire.hpp"

namespace concerto::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace json = boost::json;

constexpr const char* prepare_line = "POST /api/dtmsvr/prepareWorkflow";
constexpr const char* record_line = "POST /api/dtmsvr/registerBranch";
constexpr const char* submit_line = "POST /api/dtmsvr/submit";

class WorkflowWire : public ClientWire {
 protected:
  void SetUp() override {
    ClientWire::SetUp();
    workflows_.emplace(client().workflows("http://me/workflow"));
    prepared("prepared", "[]");
  }

  /// What the coordinator knows of the workflow.
  void prepared(const std::string& status, const std::string& progresses,
                const std::string& more = "") {
    answers_["/api/dtmsvr/prepareWorkflow"] =
        net::json_response(200, R"({"transaction":{"gid":"g","trans_type":"workflow","status":")" +
                                    status + "\"" + more + R"(},"progresses":)" + progresses + "}");
  }

  static std::string progress(const std::string& branch_id, const std::string& op,
                              const std::string& status, const std::string& data) {
    return R"({"branch_id":")" + branch_id + R"(","op":")" + op + R"(","status":")" + status +
           R"(","bin_data":")" + base64_encode(data) + "\"}";
  }

  std::string call_line(const std::string& path, const std::string& id, const std::string& op) {
    return "POST " + path + " branch_id=" + id + " gid=g op=" + op + " trans_type=workflow";
  }

  Result<std::string> execute(Workflows::Handler handler, WorkflowOptions options = {}) {
    workflows_->add("name", std::move(handler), std::move(options));
    return again();
  }
  Result<std::string> again(std::string data = "data") {
    return test::await_result(io_, workflows_->execute("name", "g", std::move(data)));
  }

  void TearDown() override {
    run(client_->close());
    ClientWire::TearDown();
  }

  /// Two calls, with a rollback and a commit for each.
  Async<std::string> two_calls(Workflow& workflow) {
    std::string result;
    for (const char* name : {"/A", "/B"}) {
      WorkflowBranch branch = workflow.branch();
      branch.on_rollback(host_ + name + "/back", "back");
      branch.on_commit(host_ + name + "/done", "done");
      CONCERTO_CO_TRY(const std::string answer, co_await branch.call(host_ + name, "payload"));
      result += answer;
    }
    co_return result;
  }
  Workflows::Handler two() {
    return [this](Workflow& workflow, const std::string&) { return two_calls(workflow); };
  }

  std::optional<Workflows> workflows_;
};

TEST_F(WorkflowWire, StepsAreRecordedAndCommitted) {
  answers_["/A"] = net::text_response(200, "FAILURE is a word");
  const auto result = execute(two());
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(*result, R"(FAILURE is a word{"dtm_result":"SUCCESS"})");
  EXPECT_THAT(lines_, ElementsAre(prepare_line, call_line("/A", "01", "action"), record_line,
                                  call_line("/B", "02", "action"), record_line,
                                  call_line("/B/done", "02", "commit"), record_line,
                                  call_line("/A/done", "01", "commit"), record_line, submit_line));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"workflow",
      "query_prepared":"http://me/workflow",
      "custom_data":"{\"data\":\"ZGF0YQ==\",\"name\":\"name\"}"})"));
  EXPECT_EQ(bodies_[1], "payload");
  EXPECT_EQ(body(2), json::parse(R"({"gid":"g","trans_type":"workflow","branch_id":"01",
      "op":"action","status":"succeed","data":"FAILURE is a word"})"));
  EXPECT_EQ(body(6), json::parse(R"({"gid":"g","trans_type":"workflow","branch_id":"02",
      "op":"commit","status":"succeed"})"));
  EXPECT_EQ(body(9), json::parse(R"({"gid":"g","trans_type":"workflow","req_extra":{
      "status":"succeed","rollback_reason":"","result":")" +
                                 base64_encode(*result) + "\"}}"));
}

TEST_F(WorkflowWire, WhatIsRecordedIsNotDoneAgain) {
  prepared("prepared", "[" + progress("01", "action", "succeed", "one") + "," +
                           progress("02", "commit", "succeed", "") + "]");
  const auto result = execute(two());
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(*result, R"(one{"dtm_result":"SUCCESS"})");
  EXPECT_THAT(lines_, ElementsAre(prepare_line, call_line("/B", "02", "action"), record_line,
                                  call_line("/A/done", "01", "commit"), record_line, submit_line));
}

TEST_F(WorkflowWire, FailureRollsBackTheBranchesBefore) {
  answers_["/B"] = net::text_response(409, "no money");
  const auto result = execute(two());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ClientErrc::failure);
  EXPECT_EQ(result.error().detail, "no money FAILURE");
  EXPECT_THAT(lines_,
              ElementsAre(prepare_line, call_line("/A", "01", "action"), record_line,
                          call_line("/B", "02", "action"), record_line,
                          call_line("/A/back", "01", "rollback"), record_line, submit_line));
  EXPECT_EQ(body(4), json::parse(R"({"gid":"g","trans_type":"workflow","branch_id":"02",
      "op":"action","status":"failed","data":"no money"})"));
  EXPECT_EQ(body(7), json::parse(R"({"gid":"g","trans_type":"workflow","req_extra":{
      "status":"failed","rollback_reason":"no money FAILURE","result":""}})"));
}

Async<std::string> fails_first(Workflow& workflow, std::string url) {
  WorkflowBranch branch = workflow.branch();
  const auto answer = co_await branch.call(url, "");
  branch.on_rollback(url, "back");
  co_return answer;
}

TEST_F(WorkflowWire, FailedBranchNeedsNoRollbackThatComesLate) {
  answers_["/A"] = net::text_response(409, "no money");
  workflows_->add("name", fails_first);
  ASSERT_FALSE(again(host_ + "/A"));
  EXPECT_EQ(lines_.back(), submit_line);
  EXPECT_EQ(lines_.size(), 4U);
}

TEST_F(WorkflowWire, FailedBranchIsRolledBackIfToldSo) {
  answers_["/B"] = net::text_response(409, "no money");
  WorkflowOptions options;
  options.rolls_back_failed = true;
  options.trans.retry_interval = std::chrono::seconds(3);
  ASSERT_FALSE(execute(two(), std::move(options)));
  EXPECT_EQ(body(0).at("retry_interval"), 3);
  EXPECT_EQ(lines_.at(5), call_line("/B/back", "02", "rollback"));
  EXPECT_EQ(lines_.at(7), call_line("/A/back", "01", "rollback"));
}

TEST_F(WorkflowWire, RecordedFailureIsTheSameError) {
  for (const char* data : {"no money", "rpc error: code = Aborted desc = no money"}) {
    lines_.clear();
    prepared("prepared", "[" + progress("01", "action", "failed", data) + "]");
    workflows_.emplace(client_->workflows("http://me/workflow"));
    EXPECT_EQ(execute(two()).error().detail, "no money FAILURE");
    EXPECT_THAT(lines_, ElementsAre(prepare_line, submit_line));
  }
}

TEST_F(WorkflowWire, OpenOutcomesAreLeftToALaterRun) {
  for (const unsigned status : {425U, 500U}) {
    SCOPED_TRACE(status);
    lines_.clear();
    answers_["/A"] = net::text_response(status, "not now");
    workflows_.emplace(client_->workflows("http://me/workflow"));
    const auto result = execute(two());
    EXPECT_EQ(result.error().code,
              status == 425 ? ClientErrc::ongoing : ClientErrc::unknown_outcome);
    EXPECT_THAT(lines_, ElementsAre(prepare_line, call_line("/A", "01", "action")));
  }
}

TEST_F(WorkflowWire, EndedWorkflowIsNotRun) {
  prepared("succeed", "[]", R"(,"result":")" + base64_encode("the result") + "\"");
  EXPECT_EQ(*execute(two()), "the result");
  prepared("failed", "[]", R"(,"rollback_reason":"no money FAILURE")");
  const auto failed = again();
  EXPECT_EQ(failed.error().code, ClientErrc::failure);
  EXPECT_EQ(failed.error().detail, "no money FAILURE");
  EXPECT_THAT(lines_, ElementsAre(prepare_line, prepare_line));
}

/// The step is done, so it must not count as one that failed and needs no rollback.
TEST_F(WorkflowWire, RefusedRecordIsNotAFailure) {
  answers_["/api/dtmsvr/registerBranch"] = net::json_response(409, R"({"message":"FAILURE"})");
  EXPECT_EQ(execute(two()).error().code, ClientErrc::refused);
  EXPECT_THAT(lines_, ElementsAre(prepare_line, call_line("/A", "01", "action"), record_line));
}

Async<std::string> local_steps(Workflow& workflow, std::string data) {
  const auto work = [&](const WorkflowStep& step) -> Result<std::string> {
    return data + " " + step.branch_id + " " + step.op;
  };
  CONCERTO_CO_TRY(const std::string first, co_await workflow.branch().run(work));
  const auto refuse = [](const WorkflowStep&) -> Result<std::string> {
    return branch_failure("first " + std::string{"no"}).error();
  };
  const auto second = co_await workflow.branch().run(refuse);
  co_return failure(first + ", then " + second.error().detail);
}

TEST_F(WorkflowWire, FunctionsAreSteps) {
  const auto result = execute(local_steps);
  EXPECT_EQ(result.error().detail, "data 01 action, then first no FAILURE");
  EXPECT_THAT(lines_, ElementsAre(prepare_line, record_line, record_line, submit_line));
  EXPECT_EQ(body(1).at("data"), "data 01 action");
  EXPECT_EQ(body(2).at("status"), "failed");
  EXPECT_EQ(body(2).at("data"), "first no");
}

Async<std::string> fails_for_good_at_its_end(Workflow& workflow, std::string) {
  workflow.branch().on_commit([](const WorkflowStep&) -> Result<> { return failure("no"); });
  co_return "";
}

TEST_F(WorkflowWire, CommitThatFailsForGoodIsRepeated) {
  const auto result = execute(fails_for_good_at_its_end);
  EXPECT_EQ(result.error().code, ClientErrc::refused);
  EXPECT_THAT(result.error().detail, HasSubstr("the commit of branch 01 must not fail"));
  EXPECT_THAT(lines_, ElementsAre(prepare_line));
}

Async<std::string> misuses(Workflow& workflow, std::string data) {
  const WorkflowBranch branch = workflow.branch();
  if (data == "branches") {
    for (int more = 0; more < 99; ++more) workflow.branch();
  } else if (data == "actions") {
    CONCERTO_CO_CHECK(co_await branch.call("", ""));
    ignore_error(co_await branch.call("", ""), "a second action");
  } else {
    WorkflowBranch twice = branch;
    twice.on_commit("", "");
    twice.on_commit("", "");
  }
  co_return "";
}

TEST_F(WorkflowWire, MisuseEndsTheRun) {
  workflows_->add("name", misuses);
  for (const char* kind : {"branches", "actions", "commits"}) {
    lines_.clear();
    const auto result = again(kind);
    EXPECT_EQ(result.error().code, ClientErrc::not_sendable) << kind;
    EXPECT_EQ(lines_.back(), *kind == 'a' ? record_line : prepare_line) << kind;
  }
  EXPECT_EQ(test::await_result(io_, workflows_->execute("other", "g", "")).error().code,
            ClientErrc::not_sendable);
}

Async<std::string> one_xa(Workflow& workflow, std::vector<std::string>& ops) {
  const auto work = [&ops](const WorkflowXa& xa) -> Result<> {
    ops.push_back(xa.step.branch_id + " " + xa.step.op);
    return ok();
  };
  CONCERTO_CO_CHECK(co_await workflow.branch().xa(work));
  co_return "";
}

TEST_F(WorkflowWire, XaIsCommittedByTheSameFunction) {
  std::vector<std::string> ops;
  ASSERT_TRUE(
      execute([&](Workflow& workflow, const std::string&) { return one_xa(workflow, ops); }));
  EXPECT_THAT(ops, ElementsAre("01 action", "01 commit"));
}

/// Nobody knows whether the work was prepared.
TEST_F(WorkflowWire, XaThatBrokeOffIsRolledBack) {
  prepared("prepared", "[" + progress("01", "business", "succeed", "") + "]");
  std::vector<std::string> ops;
  const auto result =
      execute([&](Workflow& workflow, const std::string&) { return one_xa(workflow, ops); });
  EXPECT_EQ(result.error().code, ClientErrc::failure);
  EXPECT_THAT(ops, ElementsAre("01 rollback"));
  EXPECT_EQ(body(1).at("status"), "failed");
}

TEST_F(WorkflowWire, IsResumedByTheCallOfTheCoordinator) {
  workflows_->add("name", two());
  net::HttpRequest request;
  request.query = {{"branch_id", "00"}, {"gid", "g"}, {"op", "name"}, {"trans_type", "workflow"}};
  request.body = "data";
  const auto served = [&] {
    return test::await_result(io_, workflows_->serve(net::HttpRequest{request})).status;
  };
  EXPECT_EQ(served(), 200U);
  EXPECT_EQ(body(0).at("custom_data"), R"({"data":"ZGF0YQ==","name":"name"})");
  answers_["/A"] = net::text_response(409, "no");
  EXPECT_EQ(served(), 409U);
  answers_["/A"] = net::text_response(425, "later");
  EXPECT_EQ(served(), 425U);
  EXPECT_EQ(test::await_result(io_, workflows_->resume("/workflow?gid=g&op=name", "")).error().code,
            ClientErrc::ongoing);
  request.query[2].second = "other";
  EXPECT_EQ(served(), 500U);
}

Async<std::string> waits(Notifier& until, int& runs) {
  ++runs;
  co_await until.wait();
  co_return "";
}

/// The coordinator asks while the workflow still runs here.
TEST_F(WorkflowWire, RunsOnceAtATime) {
  Notifier until{io_.get_executor()};
  int runs = 0;
  workflows_->add("name", [&](Workflow&, const std::string&) { return waits(until, runs); });
  std::optional<Result<std::string>> first;
  asio::co_spawn(
      io_, workflows_->execute("name", "g", ""),
      [&](std::exception_ptr, Result<std::string> result) { first = std::move(result); });
  while (runs == 0) io_.run_one();
  EXPECT_EQ(again().error().code, ClientErrc::ongoing);
  until.notify_all();
  while (!first) io_.run_one();
  EXPECT_TRUE(*first);
  EXPECT_EQ(runs, 1);
}

TEST(WorkflowOverJsonRpc, IsNotSendable) {
  asio::io_context io{1};
  Client client{io.get_executor(), "http://127.0.0.1:1/api/json-rpc"};
  Workflows workflows = client.workflows("http://me");
  workflows.add("name", local_steps);
  EXPECT_EQ(test::await_result(io, workflows.execute("name", "g", "")).error().code,
            ClientErrc::not_sendable);
}

}  // namespace
}  // namespace concerto::client
