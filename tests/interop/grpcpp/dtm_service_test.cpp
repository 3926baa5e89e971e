// gRPC C++ as a client of the coordinator's gRPC interface.

#include <atomic>
#include <memory>

#include <google/protobuf/empty.pb.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using google::protobuf::Empty;

class GrpcppClient : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    peer_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(grpc_listener_.address().port()),
                                grpc::InsecureChannelCredentials());
  }

  void TearDown() override {
    peer_.reset();
    ApiTest::TearDown();
  }

  /// One call, made by gRPC's threads while the test's thread runs the server.
  template <class Request, class Reply>
  grpc::Status call(const std::string& method, const Request& request, Reply& reply,
                    std::chrono::seconds timeout = std::chrono::seconds{30}) {
    grpc::TemplatedGenericStub<Request, Reply> stub{peer_};
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    grpc::Status result;
    std::atomic<bool> done{false};
    stub.UnaryCall(&context, "/dtmgimp.Dtm/" + method, grpc::StubOptions{}, &request, &reply,
                   [&](grpc::Status status) {
                     result = std::move(status);
                     done.store(true);
                   });
    run_until([&] { return done.load(); });
    return result;
  }

  grpc::Status submit(const dtmgimp::DtmRequest& request) {
    Empty reply;
    return call("Submit", request, reply);
  }

  static dtmgimp::DtmRequest waiting_saga(const std::string& gid) {
    dtmgimp::DtmRequest request = dtm_request(gid, "saga", 2);
    request.mutable_transoptions()->set_waitresult(true);
    (*request.mutable_transoptions()->mutable_branchheaders())["h"] = "v";
    return request;
  }

  std::shared_ptr<grpc::Channel> peer_;
};

TEST_F(GrpcppClient, GetsAGid) {
  dtmgimp::DtmGidReply reply;
  const grpc::Status status = call("NewGid", Empty{}, reply);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.gid().size(), 22U);
}

TEST_F(GrpcppClient, SubmitsASaga) {
  const grpc::Status status = submit(waiting_saga("g"));
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(branches_.calls, (std::vector<std::string>{"action 01", "action 02"}));
  EXPECT_EQ(status_of("g"), "succeed");
}

TEST_F(GrpcppClient, HearsWhySagasFail) {
  branches_.reply("action 02", Outcome::failure, "no money");
  const grpc::Status failed = submit(waiting_saga("g"));
  EXPECT_EQ(failed.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(failed.error_message(), "url:a2 return failed: no money FAILURE");
  const grpc::Status refused = submit(dtm_request("h", "sagas", 1));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(refused.error_message(), "unknow trans type: sagas");
}

TEST_F(GrpcppClient, HearsThatAMethodIsUnknown) {
  Empty reply;
  const grpc::Status status = call("Nope", dtmgimp::DtmTopicRequest{}, reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcppClient, DeadlineEndsOnlyItsWaiting) {
  branches_.hold("action 01");
  Empty reply;
  const grpc::Status status = call("Submit", waiting_saga("g"), reply, std::chrono::seconds{1});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  branches_.answer("action 01", Outcome::success);
  run_until([&] { return status_of("g") == "succeed"; });
}

}  // namespace
}  // namespace concerto::net::test
