#include "coordinator_client.hpp"

#include <utility>

#include <boost/asio/ip/address.hpp>

#include <concerto/protocol/answer_messages.hpp>

namespace concerto::load {
namespace {

/// The name in the certificate; empty for an IP address, which the channel knows.
std::string certified_name(const LoadOptions& options) {
  if (!options.access.server_name.empty()) return options.access.server_name;
  boost::system::error_code is_a_name;
  asio::ip::make_address(options.grpc.host, is_a_name);
  return is_a_name ? options.grpc.host : std::string();
}

net::GrpcChannelOptions channel_options(const LoadOptions& options,
                                        std::shared_ptr<asio::ssl::context> tls) {
  net::GrpcChannelOptions channel;
  channel.waiting_calls_max = in_flight_max;
  channel.tls = std::move(tls);
  channel.tls_host = certified_name(options);
  return channel;
}

std::string authorization(const Access& access) {
  return "Bearer " + access.token;
}

}  // namespace

net::HttpHeaders access_headers(const Access& access) {
  net::HttpHeaders headers;
  if (!access.token.empty()) headers.add("Authorization", authorization(access));
  return headers;
}

CoordinatorClient::CoordinatorClient(Wire wire, const Scenario& scenario) : wire_(wire) {
  for (const Request& request : scenario.requests) requests_.push_back(encode(wire, request));
  for (const Request& request : scenario.to_abort) to_abort_.push_back(encode(wire, request));
}

Async<> CoordinatorClient::carry_out(std::string gid, bool aborts) {
  const bool has_abort = aborts && !to_abort_.empty();
  for (const EncodedRequest& request : has_abort ? to_abort_ : requests_) {
    std::string body = with_gid(wire_, request, gid);
    CONCERTO_CO_CHECK(co_await send(request, std::move(body)));
  }
  co_return ok();
}

GrpcCoordinatorClient::GrpcCoordinatorClient(
    Executor executor, Timers& timers, RandomSource& random, std::vector<net::Address> addresses,
    const LoadOptions& options, std::shared_ptr<asio::ssl::context> tls, const Scenario& scenario)
    : CoordinatorClient(Wire::grpc, scenario),
      timers_(timers),
      addresses_(std::move(addresses)),
      channel_(executor, timers, random, addresses_, channel_options(options, std::move(tls))) {
  if (!options.access.token.empty()) {
    metadata_.add("authorization", authorization(options.access));
  }
}

Async<> GrpcCoordinatorClient::send(const EncodedRequest& request, std::string body) {
  std::string method = request.target;
  net::GrpcMetadata metadata = metadata_;
  const net::GrpcReply reply = co_await channel_.unary(
      std::move(method), std::move(body), std::move(metadata), timers_.now() + request_limit);
  if (reply.ok()) co_return ok();
  Error error = to_error(reply);
  error.detail = "gRPC " + std::string(to_string(reply.status.code)) + ": " + reply.status.message;
  co_return error;
}

HttpCoordinatorClient::HttpCoordinatorClient(net::HttpClient& client, Timers& timers,
                                             const LoadOptions& options, const Scenario& scenario)
    : CoordinatorClient(Wire::http, scenario),
      client_(client),
      timers_(timers),
      root_(options.http_root()),
      headers_(access_headers(options.access)) {
  headers_.add("Content-Type", "application/json");
}

Async<> HttpCoordinatorClient::send(const EncodedRequest& request, std::string body) {
  net::HttpClientRequest message;
  message.method = "POST";
  message.url = root_ + request.target;
  message.headers = headers_;
  message.body = body;
  const auto answer = co_await client_.send(std::move(message), timers_.now() + request_limit);
  if (!answer) {
    Error error = answer.error();
    error.detail = "HTTP: " + error.detail;
    co_return error;
  }
  const auto received = net::answer_from_http(answer->status, answer->headers, answer->body);
  if (received.ok()) co_return ok();
  co_return make_error(EngineErrc::branch_error,
                       "HTTP " + std::to_string(answer->status) + ": " + received.text);
}

}  // namespace concerto::load
