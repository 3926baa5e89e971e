#include <algorithm>
#include <cerrno>
#include <sstream>
#include <unistd.h>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include <concerto/base/assert.hpp>
#include <concerto/transport/listener.hpp>

#include "accept_queue.hpp"
#include "proxy_greetings.hpp"

namespace concerto::net {
namespace {

using asio::ip::tcp;

constexpr int backlog_connections = 4096;
/// After a failure to accept, such as the lack of file descriptors, the next attempt waits for this
/// time.
constexpr std::chrono::milliseconds pause{50};

Error cannot_listen(const tcp::endpoint& address, const error_code& why) {
  std::ostringstream text;
  text << "cannot listen on " << address << ": " << why.message();
  return Error{why, std::move(text).str()};
}

}  // namespace

AcceptedSocket::AcceptedSocket(int descriptor, tcp::endpoint peer) noexcept
    : descriptor_(descriptor), peer_(std::move(peer)) {}

AcceptedSocket::AcceptedSocket(AcceptedSocket&& other) noexcept
    : descriptor_(other.release()), peer_(other.peer_), place_(std::move(other.place_)) {}

AcceptedSocket::~AcceptedSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int AcceptedSocket::release() noexcept {
  return std::exchange(descriptor_, -1);
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(other.release()), protocol_(other.protocol_) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(protocol_, other.protocol_);
  return *this;
}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int ListeningSocket::release() noexcept {
  return std::exchange(descriptor_, -1);
}

Result<ListeningSocket> ListeningSocket::open(const tcp::endpoint& address) {
  ListeningSocket made;
  made.protocol_ = address.protocol();
  made.descriptor_ =
      ::socket(address.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int fd = made.descriptor_;
  const int on = 1;
  const int off = 0;
  if (fd >= 0 && address.protocol() == tcp::v6() && address.address().is_unspecified()) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  const bool listens = fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::bind(fd, address.data(), static_cast<socklen_t>(address.size())) == 0 &&
                       ::listen(fd, backlog_connections) == 0;
  if (listens) return made;
  return cannot_listen(address, error_code(errno, boost::system::system_category()));
}

/// Shared with the pending wait for the socket.
class Listener::Impl : public std::enable_shared_from_this<Listener::Impl> {
 public:
  Impl(Executor executor, Timers& timers, std::vector<ConnectionServer*> servers,
       DescriptorShortage* shortage)
      : acceptor_(std::move(executor)),
        queue_(shortage),
        timers_(timers),
        servers_(std::move(servers)),
        resume_(timers, [this] { wait(); }) {
    CONCERTO_ASSERT(!servers_.empty());
  }

  void expect_proxies(ProxyPort port) {
    if (port.proxies.empty()) return;
    const auto take = [this](AcceptedSocket socket) { hand_over(std::move(socket)); };
    greetings_ =
        std::make_shared<ProxyGreetings>(acceptor_.get_executor(), timers_, std::move(port), take);
  }

  void limit_clients(std::shared_ptr<ClientConnections> clients) { clients_ = std::move(clients); }

  Result<> listen(ListeningSocket socket) {
    CONCERTO_ASSERT(socket.is_open() && !acceptor_.is_open());
    const int fd = socket.release();
    error_code error;
    acceptor_.assign(socket.protocol(), fd, error);
    if (error) {
      ::close(fd);
      return Error{error, "cannot listen: " + error.message()};
    }
    wait();
    return ok();
  }

  tcp::endpoint address() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored);
  }

  void close() {
    resume_.cancel();
    if (greetings_) greetings_->close();
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
    const auto take = [this](AcceptedSocket socket) {
      const bool has_header = greetings_ && greetings_->are_from(socket.peer());
      if (has_header) return greetings_->receive(std::move(socket));
      hand_over(std::move(socket));
    };
    const auto refuse = [this](int descriptor) { servers_.front()->refuse(descriptor); };
    if (queue_.drain(acceptor_.native_handle(), take, refuse)) return wait();
    resume_.set(timers_.now() + pause);
  }

  void hand_over(AcceptedSocket socket) const {
    ConnectionServer& server = least_loaded();
    if (clients_ && !clients_->take(socket.peer().address(), socket.place())) {
      return server.refuse(socket.descriptor());
    }
    if (server.offer(socket)) return;
    // The other servers are asked too: this one may have no idle connection, and the budget counts
    // the connections of all shards.
    for (ConnectionServer* each : servers_) {
      if (each != &server) each->ask_for_room();
    }
    if (!server.turn_away(socket)) server.refuse(socket.descriptor());
  }

  ConnectionServer& least_loaded() const {
    const auto fewer = [](const ConnectionServer* a, const ConnectionServer* b) {
      return a->connection_count() < b->connection_count();
    };
    return **std::min_element(servers_.begin(), servers_.end(), fewer);
  }

  asio::basic_socket_acceptor<tcp, Executor> acceptor_;
  AcceptQueue queue_;
  Timers& timers_;
  const std::vector<ConnectionServer*> servers_;
  std::shared_ptr<ClientConnections> clients_;  ///< null: no limit for each client
  std::shared_ptr<ProxyGreetings> greetings_;   ///< null: no proxy sends headers
  Timer resume_;
};

Listener::Listener(Executor executor, Timers& timers, std::vector<ConnectionServer*> servers,
                   DescriptorShortage* shortage)
    : impl_(std::make_shared<Impl>(std::move(executor), timers, std::move(servers), shortage)) {}

Listener::~Listener() {
  close();
}

void Listener::expect_proxies(ProxyPort port) {
  impl_->expect_proxies(std::move(port));
}

void Listener::limit_clients(std::shared_ptr<ClientConnections> clients) {
  impl_->limit_clients(std::move(clients));
}

Result<> Listener::listen(const tcp::endpoint& address) {
  CONCERTO_TRY(ListeningSocket socket, ListeningSocket::open(address));
  return impl_->listen(std::move(socket));
}

Result<> Listener::listen(ListeningSocket socket) {
  return impl_->listen(std::move(socket));
}

tcp::endpoint Listener::address() const {
  return impl_->address();
}

void Listener::close() {
  impl_->close();
}

}  // namespace concerto::net
