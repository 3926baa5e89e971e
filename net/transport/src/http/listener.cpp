#include <algorithm>
#include <utility>

#include <boost/asio/ip/v6_only.hpp>
#include <sys/socket.h>

#include <concerto/base/assert.hpp>
#include <concerto/transport/http_listener.hpp>

#include "accept_queue.hpp"
#include "byte_stream.hpp"

namespace concerto::net {
namespace {

constexpr int backlog_connections = 4096;
constexpr std::chrono::milliseconds out_of_descriptors_pause{50};

constexpr std::string_view refusal =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Length: 34\r\n"
    "\r\n"
    "{\"message\":\"too many connections\"}";

void refuse(int descriptor) {
  // A fresh socket takes this much at once; whoever is gone already misses nothing.
  const auto sent = ::send(descriptor, refusal.data(), refusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) ::shutdown(descriptor, SHUT_WR);
}

}  // namespace

HttpListener::HttpListener(Executor executor, Timers& timers, std::vector<HttpServer*> servers,
                           DescriptorShortage* shortage)
    : timers_(timers),
      servers_(std::move(servers)),
      acceptor_(executor),
      queue_(std::make_unique<AcceptQueue>(shortage)),
      group_(executor) {
  CONCERTO_ASSERT(!servers_.empty());
}

HttpListener::~HttpListener() = default;

Result<> HttpListener::start(const asio::ip::tcp::endpoint& at) {
  error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && at.protocol() == asio::ip::tcp::v6() && at.address().is_unspecified()) {
    acceptor_.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(backlog_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) local_ = acceptor_.local_endpoint(error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return Error{error, "cannot listen on " + at.address().to_string() + ":" +
                            std::to_string(at.port()) + ": " + error.message()};
  }
  group_.spawn(accept_loop());
  return ok();
}

Task<void> HttpListener::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  co_await group_.close();
}

Task<void> HttpListener::accept_loop() {
  const auto take = [this](AcceptedConnection connection) {
    hand_over(AcceptedSocket{connection.descriptor, connection.peer});
  };
  while (acceptor_.is_open()) {
    const auto [error] = co_await acceptor_.async_wait(asio::socket_base::wait_read, tuple_task);
    if (error) co_return;
    if (!queue_->drain(acceptor_.native_handle(), take, refuse)) {
      co_await sleep_until(timers_, timers_.now() + out_of_descriptors_pause);
    }
  }
}

void HttpListener::hand_over(AcceptedSocket socket) {
  const auto by_count = [](const HttpServer* a, const HttpServer* b) {
    return a->connection_count() < b->connection_count();
  };
  HttpServer* server = *std::min_element(servers_.begin(), servers_.end(), by_count);
  if (server->offer(socket)) return;
  // The server with the fewest connections may have no idle one, and its shard is not the only one
  // that the quota counts.
  for (HttpServer* each : servers_) {
    if (each != server) each->ask_for_room();
  }
  if (!server->turn_away(socket)) refuse(socket.descriptor());
}

}  // namespace concerto::net
