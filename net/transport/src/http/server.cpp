#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include <concerto/base/io_thread.hpp>
#include <concerto/transport/http_server.hpp>

#include "connection.hpp"
#include "response_writer.hpp"

namespace concerto::net {
namespace {

/// Each shard answers so many refused connections at a time. Further ones are closed without
/// lingering.
constexpr std::size_t refused_connections_max = 64;

/// When a new connection finds no room, one to close is searched among this many.
constexpr std::size_t looked_at_max = 64;

constexpr std::string_view refusal =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Length: 34\r\n"
    "\r\n"
    "{\"message\":\"too many connections\"}";

}  // namespace

HttpServer::HttpServer(Executor executor, Timers& timers, HttpHandler handler,
                       HttpServerOptions options)
    : executor_(executor),
      timers_(timers),
      handler_(std::move(handler)),
      check_head_(std::move(options.check_head)),
      options_(options),
      speaks_tls_(options.tls != nullptr),
      connections_max_(options.connections_max),
      failed_handshakes_(std::move(options.failed_handshakes)),
      sockets_(std::move(options.sockets)),
      buffers_(options.buffers ? std::move(options.buffers)
                               : std::make_shared<BufferBudget>(BufferBudget::Limits{})),
      closed_one_(executor),
      group_(executor) {}

HttpServer::~HttpServer() {
  if (!has_connections()) return;
  const auto has_drained = std::make_shared<bool>(false);
  asio::co_spawn(executor_, drain(timers_.now()),
                 [has_drained](const std::exception_ptr&) { *has_drained = true; });
  const auto cancel = [this] { group_.cancel(); };
  run_until(
      {&executor_, 1}, [has_drained] { return *has_drained; }, cancel);
}

bool HttpServer::offer(AcceptedSocket& socket) {
  if (draining_.load(std::memory_order_acquire)) return false;
  const bool has_room =
      connection_count_.fetch_add(1) < connections_max_.load(std::memory_order_relaxed);
  if (!has_room || (sockets_ && !sockets_->take())) {
    connection_count_.fetch_sub(1);
    ask_for_room();
    return false;
  }
  asio::post(executor_, [this, taken = std::move(socket)]() mutable { adopt(std::move(taken)); });
  return true;
}

void HttpServer::ask_for_room() {
  if (!making_room_.exchange(true)) asio::post(executor_, [this] { make_room(); });
}

bool HttpServer::turn_away(AcceptedSocket& socket) {
  if (draining_.load(std::memory_order_acquire)) return false;
  if (refused_count_.fetch_add(1) >= refused_connections_max) {
    refused_count_.fetch_sub(1);
    return false;
  }
  asio::post(executor_,
             [this, taken = std::move(socket)]() mutable { adopt_refused(std::move(taken)); });
  return true;
}

void HttpServer::refuse(int descriptor) const noexcept {
  if (speaks_tls_) return;  // Nothing can be sent before the handshake.
  send_last_words(descriptor, refusal);
}

void HttpServer::set_limits(const HttpServerOptions& options) {
  options_ = options;
  connections_max_.store(options.connections_max, std::memory_order_relaxed);
}

void HttpServer::adopt(AcceptedSocket accepted) {
  probe_.accepted_count.fetch_add(1, std::memory_order_relaxed);
  const bool drops = draining_.load(std::memory_order_relaxed);
  if (drops || !group_.spawn(serve(std::move(accepted)))) forget_one(connection_count_);
}

void HttpServer::adopt_refused(AcceptedSocket accepted) {
  const bool drops = draining_.load(std::memory_order_relaxed);
  if (drops || !group_.spawn(serve_refused(std::move(accepted)))) forget_one(refused_count_);
}

void HttpServer::handshake_failed(const asio::ip::tcp::endpoint& peer, const Error& reason) {
  probe_.failed_handshake_count.fetch_add(1, std::memory_order_relaxed);
  if (failed_handshakes_) failed_handshakes_->note(peer, reason);
}

Task<void> HttpServer::serve(AcceptedSocket accepted) {
  // The connection counts until its socket is closed, also when cancellation destroys this frame.
  const auto forget = [](HttpServer* server) { server->forget_one(server->connection_count_); };
  const std::unique_ptr<HttpServer, decltype(forget)> counted{this, forget};
  HttpConnection connection{*this, std::move(accepted)};
  co_await connection.run();
}

Task<void> HttpServer::serve_refused(AcceptedSocket accepted) {
  const auto forget = [](HttpServer* server) { server->forget_one(server->refused_count_); };
  const std::unique_ptr<HttpServer, decltype(forget)> counted{this, forget};
  HttpConnection connection{*this, std::move(accepted)};
  co_await connection.turn_away();
}

void HttpServer::forget_one(std::atomic<std::size_t>& count) noexcept {
  count.fetch_sub(1);
  if (sockets_ && &count == &connection_count_) sockets_->give_back();
  closed_one_.notify_all();
}

bool HttpServer::has_connections() const noexcept {
  return connection_count_.load() > 0 || refused_count_.load() > 0;
}

/// Closes the connection whose client loses the least; of several, the one that has been idle for
/// the longest time. A busy connection moves to the end of the list, where it will also be when it
/// becomes idle. Otherwise many busy connections could hide the idle ones behind them for ever.
void HttpServer::make_room() {
  using Loss = HttpConnection::Loss;
  making_room_.store(false);
  HttpConnection* chosen = nullptr;
  Loss least = Loss::request;
  auto at = connections_.begin();
  for (std::size_t left = std::min(looked_at_max, connections_.size()); left > 0; --left) {
    const auto looked_at = at++;
    const Loss loss = (*looked_at)->loss_if_closed();
    if (loss == Loss::request) {
      connections_.splice(connections_.end(), connections_, looked_at);
    } else if (loss < least) {
      chosen = *looked_at;
      least = loss;
    }
    if (least == Loss::slow_header) break;
  }
  if (chosen != nullptr) chosen->close();
}

const std::string& HttpServer::date() {
  const SteadyTime now = timers_.now();
  if (now >= date_until_) {
    const WallTime wall = timers_.clock().wall_now();
    date_ = http_date(wall);
    date_until_ = now + std::chrono::seconds{1} - wall.time_since_epoch() % std::chrono::seconds{1};
  }
  return date_;
}

Task<void> HttpServer::drain(SteadyTime deadline) {
  draining_.store(true);
  for (HttpConnection* connection : connections_) connection->end_when_idle();
  Timer timer{timers_, [this] { closed_one_.notify_all(); }};
  timer.set(deadline);
  while (has_connections() && timers_.now() < deadline) co_await closed_one_.wait();
  co_await group_.close();
  // Connections that were posted to this shard when the drain began.
  while (has_connections()) co_await closed_one_.wait();
}

}  // namespace concerto::net
