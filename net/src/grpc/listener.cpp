#include <algorithm>
#include <cerrno>
#include <sstream>
#include <unistd.h>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

#include <concerto/core/assert.hpp>
#include <concerto/net/grpc_listener.hpp>

namespace concerto::net {
namespace {

constexpr int backlog = 4096;
/// Pause when accepting fails, as it does without free file descriptors.
constexpr auto pause = std::chrono::milliseconds(100);

/// The connection ended before it was accepted; the next one may be fine.
bool is_passing(int error) noexcept {
  return error == EINTR || error == ECONNABORTED;
}

}  // namespace

/// Shared with the pending wait.
class GrpcListener::Impl : public std::enable_shared_from_this<GrpcListener::Impl> {
 public:
  Impl(Executor executor, Timers& timers, std::vector<GrpcServer*> servers)
      : acceptor_(std::move(executor)),
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
    for (;;) {
      const int fd =
          ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        least_loaded().accept(fd);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return wait();
      } else if (!is_passing(errno)) {
        return resume_.set(timers_.now() + pause);
      }
    }
  }

  GrpcServer& least_loaded() const {
    const auto fewer = [](const GrpcServer* a, const GrpcServer* b) {
      return a->connection_count() < b->connection_count();
    };
    return **std::min_element(servers_.begin(), servers_.end(), fewer);
  }

  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  Timers& timers_;
  const std::vector<GrpcServer*> servers_;
  Timer resume_;
};

GrpcListener::GrpcListener(Executor executor, Timers& timers, std::vector<GrpcServer*> servers)
    : impl_(std::make_shared<Impl>(std::move(executor), timers, std::move(servers))) {}

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
