#pragma once

#include <memory>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/descriptor_shortage.hpp>
#include <concerto/transport/http_server.hpp>

namespace concerto::net {

class AcceptQueue;

/// Accepts connections for all shards and gives each to the server that has the fewest. When all
/// are full, or the process has no descriptor left, the connection is answered with 503 and closed.
///
/// Lives on one shard; the servers may live on others and must outlive it. Stop it before it dies
/// and before the servers drain.
class HttpListener {
 public:
  /// `shortage` hears of connections for which there was no descriptor, if it is given.
  HttpListener(Executor executor, Timers& timers, std::vector<HttpServer*> servers,
               DescriptorShortage* shortage = nullptr);
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  /// Binds, listens and accepts from now on. Port 0 picks a free one.
  Result<> start(const asio::ip::tcp::endpoint& at);

  /// Where it listens. Valid after start.
  asio::ip::tcp::endpoint local_endpoint() const noexcept { return local_; }

  Task<void> stop();

 private:
  Task<void> accept_loop();
  void hand_over(AcceptedSocket socket);

  Timers& timers_;
  std::vector<HttpServer*> servers_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  asio::ip::tcp::endpoint local_;
  std::unique_ptr<AcceptQueue> queue_;
  TaskGroup group_;
};

}  // namespace concerto::net
