#pragma once

#include <dtmgimp.pb.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>

#include <concerto/engine/coordinator.hpp>
#include <concerto/persist/memory_store.hpp>
#include <concerto/protocol/api_grpc.hpp>
#include <concerto/protocol/api_http.hpp>
#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>

#include "coordinator_world.hpp"
#include "http/shard_fixture.hpp"

namespace concerto::net::test {

/// The answer to one HTTP request, which had its own connection.
struct HttpAnswer {
  unsigned status = 0;
  std::string head;
  std::string body;
};

HttpAnswer parse_answer(const std::string& received);

/// A coordinator with its HTTP and gRPC front ends on loopback sockets, a memory store, branches
/// that a test scripts, and clients. Everything is on one shard with a fake clock.
class ApiTest : public ShardTest {
 protected:
  explicit ApiTest(CoordinatorOptions options = {}, GateOptions gate_options = GateOptions{},
                   const RouteTable& routes = RouteTable::standard());
  void SetUp() override;
  void TearDown() override;

  RawPeer& connect_http();
  RawPeer& connect_grpc();

  /// Sends one request on its own connection.
  HttpAnswer http(std::string_view method, std::string_view target, std::string_view body = {});
  HttpAnswer get(std::string_view target) { return http("GET", target); }
  HttpAnswer post(std::string_view operation, std::string_view body) {
    return http("POST", "/api/dtmsvr/" + std::string{operation}, body);
  }
  /// The transaction that `query` shows.
  boost::json::value query(std::string_view gid);
  std::string status_of(std::string_view gid);

  /// Calls a method of dtmgimp.Dtm.
  GrpcReply grpc(std::string_view method, const google::protobuf::Message& message);
  Task<GrpcReply> grpc_call(std::string_view method, std::string message,
                            SteadyTime deadline = SteadyTime::max());

  /// The token of all requests that follow; empty: none.
  std::string token_;

  /// Expects that both front ends answer, and that the store has not changed since the test began.
  void expect_untouched();

  concerto::test::ScriptedBranches branches_;
  concerto::test::SeededRandom random_{1};
  concerto::test::RecordingObserver observer_;
  persist::MemoryStore store_;
  const Gate gate_;
  Coordinator coordinator_;
  HttpApi http_api_;
  GatedRouter router_{gate_, clock_};
  HttpServer http_server_;
  Listener http_listener_;
  GrpcApi grpc_api_;
  GrpcServer grpc_server_;
  Listener grpc_listener_;
  std::unique_ptr<StaticAddresses> grpc_addresses_;
  std::unique_ptr<GrpcChannel> channel_;
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

/// A DtmRequest of `steps` steps with URLs `a1`, `c1`, `a2`, ...
dtmgimp::DtmRequest dtm_request(const std::string& gid, const std::string& type, int steps);

/// The same request as the body of an HTTP request.
std::string json_request(const std::string& gid, const std::string& type, int steps,
                         const std::string& more_fields = "");

}  // namespace concerto::net::test
