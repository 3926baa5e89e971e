#include "accept_queue.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <sys/socket.h>

namespace concerto::net {
namespace {

/// So many connections are accepted or refused in a row before other work of the thread gets its
/// turn.
constexpr int connections_per_turn_max = 64;

}  // namespace

AcceptQueue::AcceptQueue(DescriptorShortage* shortage) : shortage_(shortage) {
  restore();
}

AcceptQueue::~AcceptQueue() {
  if (reserve_ >= 0) ::close(reserve_);
}

void AcceptQueue::restore() {
  if (reserve_ < 0) reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

AcceptQueue::Found AcceptQueue::accept(int listening, Connection& connection) {
  for (;;) {
    auto bytes = static_cast<socklen_t>(connection.peer.capacity());
    connection.descriptor =
        ::accept4(listening, connection.peer.data(), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection.descriptor >= 0) {
      connection.peer.resize(bytes);
      return Found::connection;
    }
    // An aborted connection ended before it was accepted; the next one may be fine.
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Found::nothing;
    return errno == EMFILE || errno == ENFILE ? Found::no_descriptor : Found::failure;
  }
}

bool AcceptQueue::drain(int listening, const std::function<void(AcceptedSocket)>& take,
                        const std::function<void(int)>& refuse) {
  restore();  // The last attempt to open the reserve may have failed.
  for (int count = 0; count < connections_per_turn_max; ++count) {
    Connection connection;
    Found found = accept(listening, connection);
    if (found == Found::connection) {
      take(AcceptedSocket{connection.descriptor, connection.peer});
      continue;
    }
    if (found == Found::no_descriptor) {
      // The system reports the shortage even when no connection waits.
      found = refuse_one(listening, refuse);
      if (shortage_ && found != Found::nothing) shortage_->note();
    }
    if (found == Found::nothing) return true;
    if (found != Found::connection) return false;
  }
  return true;
}

AcceptQueue::Found AcceptQueue::refuse_one(int listening, const std::function<void(int)>& refuse) {
  if (reserve_ < 0) return Found::no_descriptor;
  ::close(std::exchange(reserve_, -1));
  Connection connection;
  const Found found = accept(listening, connection);
  if (found == Found::connection) {
    refuse(connection.descriptor);
    ::close(connection.descriptor);
  }
  restore();
  return found;
}

}  // namespace concerto::net
