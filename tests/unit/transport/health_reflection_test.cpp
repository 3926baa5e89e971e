#include <string>

#include <google/protobuf/descriptor.pb.h>

#include <concerto/transport/grpc_health.hpp>
#include <concerto/transport/grpc_reflection.hpp>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "grpc_fixture.hpp"

namespace concerto::net {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class Health : public GrpcTest {
 protected:
  Health() : health(executor()) {
    health.register_on(make_server());
    listen();
    make_channel();
    health.set("", ServingStatus::serving);
  }

  GrpcReply check(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return call("/grpc.health.v1.Health/Check", request.SerializeAsString());
  }

  static int status_of(const std::optional<std::string>& message) {
    HealthCheckResponse response;
    return message && response.ParseFromString(*message) ? response.status() : -1;
  }

  GrpcHealth health;
};

TEST_F(Health, TellsTheStatus) {
  EXPECT_EQ(status_of(check("").message), HealthCheckResponse::SERVING);
  health.set("", ServingStatus::not_serving);
  EXPECT_EQ(status_of(check("").message), HealthCheckResponse::NOT_SERVING);
}

TEST_F(Health, DoesNotKnowOtherServices) {
  EXPECT_EQ(check("x").status.code, GrpcCode::not_found);
}

TEST_F(Health, WatchFollowsChanges) {
  const auto stream = channel->open_stream("/grpc.health.v1.Health/Watch", {}, SteadyTime::max());
  HealthCheckRequest request;
  request.set_service("s");
  run(stream->write(request.SerializeAsString()));
  EXPECT_EQ(status_of(run(stream->read())), HealthCheckResponse::SERVICE_UNKNOWN);
  health.set("s", ServingStatus::serving);
  EXPECT_EQ(status_of(run(stream->read())), HealthCheckResponse::SERVING);
  health.set("s", ServingStatus::not_serving);
  EXPECT_EQ(status_of(run(stream->read())), HealthCheckResponse::NOT_SERVING);
  health.close();
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::unavailable);
}

TEST_F(Health, WatchEndsWithItsClient) {
  auto stream = channel->open_stream("/grpc.health.v1.Health/Watch", {}, SteadyTime::max());
  run(stream->write(""));
  run(stream->read());
  EXPECT_EQ(server->call_count(), 1u);
  stream.reset();
  run_until([&] { return server->call_count() == 0; });
}

template <class Messages>
class Reflection : public GrpcTest {
 protected:
  using Request = typename Messages::Request;
  using Response = typename Messages::Response;

  Reflection() : reflection({"grpc.health.v1.Health", Messages::service}) {
    reflection.register_on(make_server());
    listen();
    make_channel();
    stream = channel->open_stream("/" + std::string(Messages::service) + "/ServerReflectionInfo",
                                  {}, SteadyTime::max());
  }
  ~Reflection() override { stream.reset(); }

  Response ask(const Request& request) {
    run(stream->write(request.SerializeAsString()));
    Response response;
    const auto message = run(stream->read());
    EXPECT_TRUE(message && response.ParseFromString(*message));
    return response;
  }

  GrpcReflection reflection;
  std::unique_ptr<GrpcClientStream> stream;
};

struct V1 {
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
  static constexpr const char* service = "grpc.reflection.v1.ServerReflection";
};
struct V1Alpha {
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
  static constexpr const char* service = "grpc.reflection.v1alpha.ServerReflection";
};
using Versions = testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(Reflection, Versions);

TYPED_TEST(Reflection, ListsServices) {
  typename TypeParam::Request request;
  request.set_list_services("");
  const auto response = this->ask(request);
  ASSERT_EQ(response.list_services_response().service_size(), 2);
  EXPECT_EQ(response.list_services_response().service(0).name(), "grpc.health.v1.Health");
}

TYPED_TEST(Reflection, GivesTheFileOfASymbolAgainAndAgain) {
  typename TypeParam::Request request;
  request.set_file_containing_symbol("grpc.health.v1.Health.Check");
  for (int i = 0; i < 2; ++i) {
    const auto response = this->ask(request);
    ASSERT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1);
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
    EXPECT_EQ(file.package(), "grpc.health.v1");
    EXPECT_EQ(file.name(), "grpc/health/v1/health.proto");
  }
}

TYPED_TEST(Reflection, GivesAFileByItsName) {
  typename TypeParam::Request request;
  request.set_file_by_filename("google/protobuf/descriptor.proto");
  const auto response = this->ask(request);
  EXPECT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1);
}

TYPED_TEST(Reflection, AnswersUnknownSymbolsWithAnError) {
  typename TypeParam::Request request;
  request.set_file_containing_symbol("no.such.Thing");
  EXPECT_EQ(this->ask(request).error_response().error_code(), 5);
}

}  // namespace
}  // namespace concerto::net
