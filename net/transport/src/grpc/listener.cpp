#include <algorithm>
#include <sstream>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/transport/grpc_listener.hpp>

#include "accept_queue.hpp"

namespace concerto::net {
namespace {

constexpr int backlog = 4096;
/// Pause when accepting fails, as it does without free file descriptors.
constexpr auto pause = std::chrono::milliseconds(100);

}  // namespace

/// Shared with the pending wait.
class GrpcListener::Impl : public std::enable_shared_from_this<GrpcListener::Impl> {
 public:
  Impl(Executor executor, Timers& timers, std::vector<GrpcServer*> servers,
       DescriptorShortage* shortage)
      : acceptor_(std::move(executor)),
        queue_(shortage),
        timers_(timers),
        servers_(std::move(servers)),
        resume_(timers, [this] { wait(); }) {
    CONCERTO_ASSERT(!servers_.empty());
  }

  Result<> listen(const asio::ip::tcp::endpoint& address) {
    error_code error;
    acceptor_.open(address.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(address, error);
    if (!error) acceptor_.listen(backlog, error);
    if (!error) acceptor_.native_non_blocking(true, error);
    if (error) {
      error_code ignored;
      acceptor_.close(ignored);  // Another address may be tried.
      std::ostringstream text;
      text << "cannot listen on " << address << ": " << error.message();
      return Error{error, std::move(text).str()};
    }
    wait();
    return ok();
  }

  asio::ip::tcp::endpoint address() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored);
  }

  void close() {
    resume_.cancel();
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  void wait() {
    acceptor_.async_wait(asio::socket_base::wait_read,
                         [self = shared_from_this()](const error_code& error) {
                           if (!error && self->acceptor_.is_open()) self->accept_all();
                         });
  }

  void accept_all() {
    const auto take = [this](const AcceptedConnection& connection) {
      hand_over(connection.descriptor);
    };
    const auto refuse = [](int) {};  // gRPC knows no answer before the client has spoken.
    if (queue_.drain(acceptor_.native_handle(), take, refuse)) return wait();
    resume_.set(timers_.now() + pause);
  }

  void hand_over(int descriptor) const {
    GrpcServer& server = least_loaded();
    if (server.accept(descriptor)) return;
    // The server with the fewest connections may have no idle one, and its shard is not the only
    // one that the quota counts.
    for (GrpcServer* each : servers_) {
      if (each != &server) each->ask_for_room();
    }
  }

  GrpcServer& least_loaded() const {
    const auto fewer = [](const GrpcServer* a, const GrpcServer* b) {
      return a->connection_count() < b->connection_count();
    };
    return **std::min_element(servers_.begin(), servers_.end(), fewer);
  }

  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  AcceptQueue queue_;
  Timers& timers_;
  const std::vector<GrpcServer*> servers_;
  Timer resume_;
};

GrpcListener::GrpcListener(Executor executor, Timers& timers, std::vector<GrpcServer*> servers,
                           DescriptorShortage* shortage)
    : impl_(std::make_shared<Impl>(std::move(executor), timers, std::move(servers), shortage)) {}

GrpcListener::~GrpcListener() {
  close();
}

Result<> GrpcListener::listen(const asio::ip::tcp::endpoint& address) {
  return impl_->listen(address);
}

asio::ip::tcp::endpoint GrpcListener::address() const {
  return impl_->address();
}

void GrpcListener::close() {
  impl_->close();
}

}  // namespace concerto::net
