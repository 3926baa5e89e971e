#include "proxy_greetings.hpp"

#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include <sys/socket.h>

#include "byte_stream.hpp"
#include "proxy_header.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::seconds proxy_line_interval{60};

}  // namespace

/// A connection whose header has not come completely.
struct ProxyGreetings::Greeting {
  Greeting(AcceptedSocket taken, const Executor& executor, Timers& timers)
      : accepted(std::move(taken)), socket(executor), limit(timers, [this] {
          is_late = true;
          error_code ignored;
          socket.cancel(ignored);
        }) {}

  ~Greeting() {
    // The descriptor is the accepted socket's.
    error_code ignored;
    if (socket.is_open()) socket.release(ignored);
  }

  AcceptedSocket accepted;
  Socket socket;  ///< for waiting; not open until then
  ProxyHeaderReader reader;
  Timer limit;
  bool is_late = false;
};

ProxyGreetings::ProxyGreetings(Executor executor, Timers& timers, ProxyPort port, Take take)
    : executor_(std::move(executor)),
      timers_(timers),
      port_(std::move(port)),
      take_(std::move(take)) {}

ProxyGreetings::~ProxyGreetings() = default;

bool ProxyGreetings::are_from(const asio::ip::tcp::endpoint& peer) const noexcept {
  return port_.proxies.contains(peer.address());
}

void ProxyGreetings::receive(AcceptedSocket accepted) {
  if (waiting_.size() >= waiting_max) {
    return refuse(accepted.peer(), "too many connections wait for their header");
  }
  auto greeting = std::make_shared<Greeting>(std::move(accepted), executor_, timers_);
  if (advance(*greeting)) return;
  error_code failed;
  AcceptedSocket& waits = greeting->accepted;
  greeting->socket.assign(waits.peer().protocol(), waits.descriptor(), failed);
  if (failed) return refuse(waits.peer(), failed.message());
  greeting->limit.set(timers_.now() + port_.header_timeout);
  waiting_.insert(greeting);
  wait(std::move(greeting));
}

/// Reads what has come. False if more has to come; otherwise the connection is passed on or
/// refused.
bool ProxyGreetings::advance(Greeting& greeting) {
  AcceptedSocket& accepted = greeting.accepted;
  std::array<char, ProxyHeaderReader::bytes_max> bytes;  // NOLINT: filled by recv
  while (const std::size_t wanted = greeting.reader.wanted()) {
    const ssize_t count = ::recv(accepted.descriptor(), bytes.data(), wanted, MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (count < 0) {
      refuse(accepted.peer(), error_code(errno, boost::system::system_category()).message());
      return true;
    }
    if (count == 0) {
      // The check of a load balancer: it only connects.
      if (wanted != ProxyHeaderReader{}.wanted()) refuse(accepted.peer(), "it is cut off");
      return true;
    }
    const auto taken = greeting.reader.take({bytes.data(), static_cast<std::size_t>(count)});
    if (!taken) {
      refuse(accepted.peer(), taken.error().detail);
      return true;
    }
  }
  error_code ignored;
  if (greeting.socket.is_open()) greeting.socket.release(ignored);
  greeting.limit.cancel();
  accepted.set_peer(greeting.reader.client().value_or(accepted.peer()));
  take_(std::move(accepted));
  return true;
}

void ProxyGreetings::wait(std::shared_ptr<Greeting> greeting) {
  Socket& socket = greeting->socket;
  socket.async_wait(Socket::wait_read, [self = shared_from_this(),
                                        greeting = std::move(greeting)](error_code failed) mutable {
    if (!self->waiting_.contains(greeting)) return;  // closed
    if (greeting->is_late) {
      self->refuse(greeting->accepted.peer(), "it is not complete in time");
    } else if (!failed && !self->advance(*greeting)) {
      return self->wait(std::move(greeting));
    }
    self->waiting_.erase(greeting);
  });
}

void ProxyGreetings::close() {
  for (const auto& greeting : std::exchange(waiting_, {})) {
    greeting->limit.cancel();
    error_code ignored;
    greeting->socket.cancel(ignored);
  }
}

/// The socket is closed by whoever has it.
void ProxyGreetings::refuse(const asio::ip::tcp::endpoint& proxy, const std::string& why) {
  ++unreported_;
  const SteadyTime now = timers_.now();
  if (now < next_line_ || !port_.say) return;
  next_line_ = now + proxy_line_interval;
  std::ostringstream text;
  text << "connections of proxies were closed at the " << port_.name
       << " port for want of a header of the PROXY protocol, since the last such line: "
       << std::exchange(unreported_, 0) << "; the last one of " << proxy << ": " << why;
  port_.say(std::move(text).str());
}

}  // namespace concerto::net
