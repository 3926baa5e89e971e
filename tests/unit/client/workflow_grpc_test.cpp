// A workflow over gRPC that was resumed, message by message (protocol page 05, section 11.4).

#include <gmock/gmock.h>

#include <concerto/client/client.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/protocol/request_messages.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "api/grpc_messages.hpp"
#include "await_result.hpp"

namespace concerto::client {
namespace {

using testing::ElementsAre;

constexpr const char* failed_status = "rpc error: code = Aborted desc = no money";

/// A coordinator and a service in one.
class WorkflowGrpc : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* method : {"/dtmgimp.Dtm/PrepareWorkflow", "/dtmgimp.Dtm/RegisterBranch",
                               "/dtmgimp.Dtm/Submit", "/busi.Busi/A", "/busi.Busi/B"}) {
      server_.add_unary(method,
                        [this](net::GrpcRequest request) { return serve(std::move(request)); });
    }
    ASSERT_TRUE(listener_.listen({asio::ip::make_address("127.0.0.1"), 0}));
    target_ = "127.0.0.1:" + std::to_string(listener_.address().port());
    client_.emplace(io_.get_executor(), target_);
    workflows_.emplace(client_->workflows("me:9/workflow.Workflow/Execute"));
    workflows_->add("wfg", [this](Workflow& workflow, const std::string& data) {
      return two_calls(workflow, data);
    });
    workflow_.gid = Gid{"w"};
    workflow_.status = TransStatus::prepared;
  }

  void TearDown() override {
    test::await_result(io_, close());
    listener_.close();
  }

  Task<bool> close() {
    co_await client_->close();
    co_await server_.drain(timers_.now());
    co_return true;
  }

  Task<net::GrpcReply> serve(net::GrpcRequest request) {
    const std::string method{request.method};
    const net::ReceivedCall call = net::received_call(request.metadata);
    calls_.push_back(method.substr(method.rfind('/') + 1) + " " + call.gid + call.branch_id +
                     call.op);
    messages_.push_back(request.message);
    if (method.ends_with("/PrepareWorkflow")) {
      co_return net::GrpcReply::success(net::progresses_reply(workflow_));
    }
    if (method.ends_with("/B") && !b_has_money_) {
      co_return net::GrpcReply::failure(net::GrpcCode::aborted, "no money");
    }
    co_return net::GrpcReply::success(method.ends_with("/B") ? "R2" : "");
  }

  Async<std::string> two_calls(Workflow& workflow, std::string data) {
    WorkflowBranch a = workflow.branch();
    a.on_rollback(target_ + "/busi.Busi/A", "back");
    CONCERTO_CO_TRY(std::string result, co_await a.call(target_ + "/busi.Busi/A", data));
    CONCERTO_CO_TRY(const std::string second,
                    co_await workflow.branch().call(target_ + "/busi.Busi/B", data));
    co_return result + second;
  }

  /// The coordinator's call.
  net::GrpcReply resume() {
    net::GrpcRequest request;
    request.metadata.add("dtm-gid", "w");
    request.metadata.add("dtm-branch_id", "00");
    request.metadata.add("dtm-op", "wfg");
    request.message = net::workflow_data_message("\x08\x1e");
    return test::await_result(io_, workflows_->serve(std::move(request)));
  }

  void has_record(const char* branch_id, BranchStatus status, std::string data) {
    Branch& branch = workflow_.branches.emplace_back();
    branch.branch_id = BranchId{branch_id};
    branch.op = "action";
    branch.status = status;
    branch.payload = static_cast<std::uint32_t>(workflow_.payloads.size());
    workflow_.payloads.push_back(std::move(data));
  }

  BranchRequest recorded(std::size_t index) const {
    return *net::branch_request_from_proto(messages_.at(index));
  }

  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  Transaction workflow_;
  bool b_has_money_ = true;
  std::vector<std::string> calls_;
  std::vector<std::string> messages_;
  net::GrpcServer server_{io_.get_executor(), timers_};
  net::Listener listener_{io_.get_executor(), timers_, {&server_}};
  std::string target_;
  std::optional<Client> client_;
  std::optional<Workflows> workflows_;
};

TEST_F(WorkflowGrpc, GoesOnWhereItsRecordsEnd) {
  has_record("01", BranchStatus::succeed, std::string{"\x01\x00", 2});
  EXPECT_TRUE(resume().ok());
  EXPECT_THAT(calls_, ElementsAre("PrepareWorkflow ", "B w02action", "RegisterBranch ", "Submit "));
  const auto prepared = net::trans_request_from_proto(messages_[0]);
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->gid.str() + " " + prepared->trans_type, "w workflow");
  EXPECT_EQ(prepared->query_prepared, "me:9/workflow.Workflow/Execute");
  EXPECT_EQ(prepared->custom_data, R"({"data":"CB4=","name":"wfg"})");
  EXPECT_EQ(messages_[1], "\x08\x1e");
  const BranchRequest record = recorded(2);
  EXPECT_EQ(record.branch_id + " " + record.payload, "02 R2");
  EXPECT_EQ(record.fields,
            (std::map<std::string, std::string>{{"op", "action"}, {"status", "succeed"}}));
  const auto submitted = net::trans_request_from_proto(messages_[3]);
  ASSERT_TRUE(submitted);
  EXPECT_EQ(submitted->extra,
            (std::map<std::string, std::string>{
                {"status", "succeed"}, {"result", "AQBSMg=="}, {"rollback_reason", ""}}));
}

TEST_F(WorkflowGrpc, FailureIsRecordedAsTheGoSdkDoes) {
  b_has_money_ = false;
  EXPECT_EQ(resume().status.code, net::GrpcCode::aborted);
  EXPECT_THAT(calls_,
              ElementsAre("PrepareWorkflow ", "A w01action", "RegisterBranch ", "B w02action",
                          "RegisterBranch ", "A w01rollback", "RegisterBranch ", "Submit "));
  EXPECT_EQ(recorded(4).payload, failed_status);
  EXPECT_EQ(recorded(4).fields.at("status"), "failed");
  const auto submitted = net::trans_request_from_proto(messages_.back());
  ASSERT_TRUE(submitted);
  EXPECT_EQ(submitted->extra.at("rollback_reason"), "no money FAILURE");
}

TEST_F(WorkflowGrpc, RefusesWhatIsNotItsMessage) {
  net::GrpcRequest request;
  request.message = "\xff";
  EXPECT_FALSE(test::await_result(io_, workflows_->serve(std::move(request))).ok());
  EXPECT_TRUE(calls_.empty());
}

}  // namespace
}  // namespace concerto::client
