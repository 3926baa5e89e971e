#include "coordinator_client.hpp"

#include <dtmgimp.pb.h>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

namespace concerto::bench {
namespace {

namespace json = boost::json;

std::string encode_without_gid(const SagaShape& shape) {
  dtmgimp::DtmRequest request;
  request.set_transtype("saga");
  request.mutable_transoptions()->set_waitresult(true);
  request.set_steps(shape.steps_json);
  request.add_binpayloads(shape.payload);
  request.add_binpayloads(shape.payload);
  return request.SerializeAsString();
}

}  // namespace

GrpcCoordinatorClient::GrpcCoordinatorClient(Executor executor, Timers& timers,
                                             RandomSource& random, std::uint16_t port,
                                             const SagaShape& shape)
    : timers_(timers),
      addresses_({net::Address(asio::ip::address_v4::loopback(), port)}),
      channel_(executor, timers, random, addresses_),
      request_(encode_without_gid(shape)) {}

Async<> GrpcCoordinatorClient::submit(std::string gid) {
  // Encoded messages may be joined: the result has the fields of both.
  dtmgimp::DtmRequest named;
  named.set_gid(gid);
  std::string message = named.SerializeAsString() + request_;
  net::GrpcMetadata metadata;
  const net::GrpcReply reply =
      co_await channel_.unary("/dtmgimp.Dtm/Submit", std::move(message), std::move(metadata),
                              timers_.now() + request_limit);
  if (!reply.ok()) co_return to_error(reply);
  co_return ok();
}

HttpCoordinatorClient::HttpCoordinatorClient(net::HttpClient& client, Timers& timers,
                                             std::uint16_t port, const SagaShape& shape)
    : client_(client),
      timers_(timers),
      url_("http://127.0.0.1:" + std::to_string(port) + "/api/dtmsvr/submit") {
  const std::string payload = json::serialize(json::string(shape.payload));
  after_gid_ = R"(","trans_type":"saga","wait_result":true,"steps":)" + shape.steps_json +
               R"(,"payloads":[)" + payload + "," + payload + "]}";
}

Async<> HttpCoordinatorClient::submit(std::string gid) {
  const std::string body = R"({"gid":")" + gid + after_gid_;
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = url_;
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  const auto response = co_await client_.send(std::move(request), timers_.now() + request_limit);
  if (!response) co_return response.error();
  if (response->status != 200) {
    co_return make_error(Errc::branch_error,
                         "status " + std::to_string(response->status) + ": " + response->body);
  }
  co_return ok();
}

}  // namespace concerto::bench
