#include "branch/branch_url.hpp"

#include <gtest/gtest.h>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_dispatcher.hpp>

namespace concerto::net {
namespace {

struct BranchUrlCase {
  const char* name;
  const char* url;
  const char* want;
};
void PrintTo(const BranchUrlCase& row, std::ostream* out) {
  *out << row.name;
}

class BranchUrl : public testing::TestWithParam<BranchUrlCase> {};

TEST_P(BranchUrl, HasTheParametersOfTheCall) {
  const Gid gid{"g 2/&"};
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::saga;
  call.branch_id = "01";
  call.op = "action";
  call.url = GetParam().url;
  EXPECT_EQ(branch_url(call),
            std::string{GetParam().want} + "branch_id=01&gid=g+2%2F%26&op=action&trans_type=saga");
}

INSTANTIATE_TEST_SUITE_P(
    Table, BranchUrl,
    testing::Values(BranchUrlCase{"NoQuery", "http://b/a", "http://b/a?"},
                    BranchUrlCase{"Query", "http://b/a?x=1", "http://b/a?x=1&"},
                    BranchUrlCase{"EmptyQuery", "http://b/a?", "http://b/a?"},
                    BranchUrlCase{"NoPath", "http://b", "http://b?"},
                    BranchUrlCase{"Fragment", "http://b/a?x=1#f", "http://b/a?x=1&"}),
    [](const auto& row) { return row.param.name; });

struct TransportCase {
  const char* name;
  Protocol protocol;
  const char* url;
  BranchTransport want;
};
void PrintTo(const TransportCase& row, std::ostream* out) {
  *out << row.name;
}

class Transport : public testing::TestWithParam<TransportCase> {};

TEST_P(Transport, FollowsProtocolAndUrl) {
  EXPECT_EQ(branch_transport(GetParam().protocol, GetParam().url), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Transport,
    testing::Values(
        TransportCase{"Empty", Protocol::http, "", BranchTransport::none},
        TransportCase{"EmptyGrpc", Protocol::grpc, "", BranchTransport::none},
        TransportCase{"Http", Protocol::http, "http://b/a", BranchTransport::http},
        TransportCase{"HttpWithoutScheme", Protocol::http, "b:1/a", BranchTransport::http},
        TransportCase{"HttpNeverRpc", Protocol::http, "http://b?method=x", BranchTransport::http},
        TransportCase{"Grpc", Protocol::grpc, "b:1/a/b", BranchTransport::grpc},
        TransportCase{"GrpcMixesHttp", Protocol::grpc, "http://b/a", BranchTransport::http},
        TransportCase{"GrpcMixesHttps", Protocol::grpc, "https://b/a", BranchTransport::http},
        TransportCase{"Rpc", Protocol::json_rpc, "http://b?method=x", BranchTransport::json_rpc},
        TransportCase{"RpcAnywhere", Protocol::json_rpc, "http://b/method",
                      BranchTransport::json_rpc},
        TransportCase{"RpcWithoutMethod", Protocol::json_rpc, "http://b/a", BranchTransport::http},
        TransportCase{"RpcGrpcUrl", Protocol::json_rpc, "b:1/a/method", BranchTransport::grpc}),
    [](const auto& row) { return row.param.name; });

TEST(DockerHost, ReplacesTheFirstOfEachName) {
  EXPECT_EQ(with_docker_host("http://localhost:1/a?u=localhost"),
            "http://host.docker.internal:1/a?u=localhost");
  EXPECT_EQ(with_docker_host("localhost:1/127.0.0.1/127.0.0.1"),
            "host.docker.internal:1/host.docker.internal/127.0.0.1");
  EXPECT_EQ(with_docker_host("http://b/a"), "http://b/a");
}

}  // namespace
}  // namespace concerto::net
