#include "http2/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace concerto::net::http2 {
namespace {

constexpr std::size_t read_bytes = 64u << 10;
constexpr std::size_t write_bytes = 64u << 10;
constexpr std::size_t tls_record_bytes = 16u << 10;
/// Reads in a row before other connections get their turn.
constexpr int reads_max = 4;
/// Frames that wait for a peer that sends but does not read.
constexpr std::size_t waiting_frames_max = 20'000;

Error system_error(int number, std::string_view what) {
  const error_code code(number, boost::system::system_category());
  return Error{code, std::string(what) + ": " + code.message()};
}

Error lost_error(boost::system::errc::errc_t code, std::string detail) {
  return Error{boost::system::errc::make_error_code(code), std::move(detail)};
}

/// What answered in place of an HTTP/2 server, by its first bytes; empty if it may be one.
std::string other_protocol(std::string_view bytes) {
  constexpr std::size_t reported_bytes_max = 100;
  if (bytes.starts_with("HTTP/1.")) {
    const std::string_view line = bytes.substr(0, std::min(bytes.find('\r'), reported_bytes_max));
    return "no gRPC there: HTTP/2 was answered with '" + std::string(line) + "'";
  }
  constexpr std::string_view tls_alert("\x15\x03");
  if (bytes.starts_with(tls_alert)) return "no gRPC there: HTTP/2 was answered with a TLS alert";
  return {};
}

}  // namespace

Connection::Connection(Socket socket, Turn& turn, Timers& timers, Side side,
                       const SessionOptions& options, const ConnectionLimits& limits,
                       std::unique_ptr<TlsSession> tls)
    : keepalive_interval_(limits.keepalive_interval),
      socket_(std::move(socket)),
      turn_(turn),
      timers_(timers),
      limits_(limits),
      side_(side),
      session_(side, options, *this),
      tls_(std::move(tls)),
      timer_(timers, [this] { on_timer(); }) {}

void Connection::start() {
  const int fd = socket_.native_handle();
  const int on = 1;
  const auto patience = static_cast<unsigned>(limits_.keepalive_timeout.count());
  // Both only tune; a socket that refuses them still works.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  last_read_ = idle_since_ = timers_.now();
  timer_.set(last_read_ + limits_.handshake_timeout);
  on_output();
  wait_readable();
}

void Connection::wait_readable() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& error) {
    if (!error && self->open_) self->on_readable();
  });
}

void Connection::on_readable() {
  std::array<char, read_bytes> buffer;  // NOLINT: filled by recv
  last_read_ = timers_.now();
  pinged_ = false;
  for (int reads = 0; reads < reads_max; ++reads) {
    const auto count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (count < 0) return lose(system_error(errno, "read"));
    if (count == 0) {
      return lose(lost_error(boost::system::errc::connection_reset, closed_by_peer()));
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
    if (!(tls_ ? decrypt(bytes) : receive(bytes))) return;
    if (static_cast<std::size_t>(count) < buffer.size()) break;
  }
  wait_readable();
}

std::string Connection::closed_by_peer() const {
  std::string text = "closed by the peer";
  if (tls_ && !tls_->is_open()) {
    text += " in the handshake of TLS: does it speak TLS?";
  } else if (!ready_) {
    text += tls_ ? " before its first frame" : " before its first frame: does it want TLS?";
  }
  return text;
}

bool Connection::decrypt(std::string_view wire) {
  std::array<char, tls_record_bytes> clear;  // NOLINT: filled by read
  tls_->put(wire);
  for (;;) {
    auto count = tls_->read(clear);
    if (!count) {
      flush();  // It may hold an alert that tells the peer what was wrong.
      close(std::move(count).error());
      return false;
    }
    if (*count == 0) break;
    if (!receive({clear.data(), *count})) return false;
  }
  if (tls_->wants_write() || (tls_->is_open() && session_.wants_write())) on_output();
  return true;
}

bool Connection::receive(std::string_view bytes) {
  if (side_ == Side::client && !ready_) {
    if (std::string other = other_protocol(bytes); !other.empty()) {
      lose(lost_error(boost::system::errc::protocol_error, std::move(other)));
      return false;
    }
  }
  if (auto received = session_.receive(bytes, last_read_); !received) {
    flush();  // It may hold a GOAWAY that tells the peer what was wrong.
    lose(std::move(received).error());
    return false;
  }
  if (session_.waiting_frames() > waiting_frames_max) {
    lose(lost_error(boost::system::errc::timed_out, "the peer sends but does not read"));
    return false;
  }
  if (session_.wants_write()) on_output();
  close_if_finished();
  return open_;
}

void Connection::on_output() {
  if (!open_ || std::exchange(dirty_, true)) return;
  turn_.schedule(shared_from_this());
}

void Connection::flush() {
  dirty_ = false;
  if (!open_ || !unsent_.empty()) return;
  std::array<char, write_bytes> buffer;  // NOLINT: filled by pull
  for (;;) {
    auto pulled = pull(buffer);
    if (!pulled) return lose(std::move(pulled).error());
    if (*pulled == 0) break;
    const std::string_view bytes(buffer.data(), *pulled);
    const std::size_t sent = send(bytes);
    if (!open_) return;
    if (sent < bytes.size()) return block(bytes.substr(sent));
  }
  close_if_finished();
}

/// Bytes for the wire: 0 when there are none.
Result<std::size_t> Connection::pull(std::span<char> out) {
  if (!tls_) return session_.pull(out);
  if (const std::size_t count = tls_->pull(out); count > 0 || !tls_->is_open()) return count;
  std::array<char, write_bytes> clear;  // NOLINT: filled by pull
  CONCERTO_TRY(const std::size_t count, session_.pull(clear));
  if (count == 0) return count;
  CONCERTO_CHECK(tls_->write({clear.data(), count}));
  return tls_->pull(out);
}

std::size_t Connection::send(std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = ::send(socket_.native_handle(), bytes.data() + sent, bytes.size() - sent,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (count < 0) {
      lose(system_error(errno, "write"));
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  return sent;
}

void Connection::block(std::string_view unsent) {
  blocked_since_ = timers_.now();
  timer_.set(end_of_blocking());
  set_unsent(std::string(unsent));
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
    if (!error && self->open_) self->on_writable();
  });
}

void Connection::set_unsent(std::string bytes) {
  const std::size_t before = std::exchange(unsent_, std::move(bytes)).size();
  on_unsent(before, unsent_.size());
}

void Connection::on_writable() {
  const std::size_t sent = send(unsent_);
  if (!open_) return;
  if (sent < unsent_.size()) return block(std::string_view(unsent_).substr(sent));
  set_unsent({});
  flush();
}

void Connection::on_settings() {
  if (std::exchange(ready_, true)) return on_changed_settings();
  const bool may_idle = limits_.idle_timeout.count() > 0;
  timer_.set(timers_.now() + (may_idle ? std::min(keepalive_interval_, limits_.idle_timeout)
                                       : keepalive_interval_));
  on_ready();
}

void Connection::on_goaway(std::uint32_t error, std::string_view text) {
  if (error == NGHTTP2_ENHANCE_YOUR_CALM && text == "too_many_pings") keepalive_interval_ *= 2;
  draining_ = true;
  on_drain();
}

void Connection::on_ping_ack() {
  if (!std::exchange(drain_pinged_, false)) return;
  session_.goaway();
  close_if_finished();
}

void Connection::on_stream_closed() {
  if (session_.stream_count() == 0) idle_since_ = timers_.now();
}

void Connection::drain() {
  if (!open_ || std::exchange(draining_, true)) return;
  if (side_ == Side::client) return on_output();  // The flush ends it if it has no streams.
  // Requests may be under way: the final GOAWAY follows one round trip later.
  drain_pinged_ = true;
  session_.shutdown_notice();
  session_.ping();
}

void Connection::probe() {
  if (!open_ || !ready_ || std::exchange(pinged_, true)) return;
  ping_since_ = timers_.now();
  session_.ping();
  const SteadyTime end = ping_since_ + limits_.keepalive_timeout;
  timer_.set(unsent_.empty() ? end : std::min(end, end_of_blocking()));
}

void Connection::on_timer() {
  const SteadyTime now = timers_.now();
  const auto timed_out = [this](const char* text) {
    lose(lost_error(boost::system::errc::timed_out, text));
  };
  if (!ready_) return timed_out("no HTTP/2 SETTINGS frame in time");
  SteadyTime next = now + keepalive_interval_;
  if (!unsent_.empty()) {
    const SteadyTime end = end_of_blocking();
    if (now >= end) return timed_out("the peer does not read");
    next = std::min(next, end);
  }
  if (pinged_) {
    const SteadyTime end = ping_since_ + limits_.keepalive_timeout;
    if (now >= end) return timed_out("keepalive timeout: no answer to a PING");
    next = std::min(next, end);
  } else if (session_.stream_count() > 0 || limits_.keepalive_without_streams) {
    const SteadyTime end = last_read_ + keepalive_interval_;
    if (now >= end) {
      pinged_ = true;
      ping_since_ = now;
      session_.ping();
      next = std::min(next, now + limits_.keepalive_timeout);
    } else {
      next = std::min(next, end);
    }
  }
  if (limits_.idle_timeout.count() > 0 && !draining_) {
    const bool idle = session_.stream_count() == 0;
    const SteadyTime end = (idle ? idle_since_ : now) + limits_.idle_timeout;
    if (now >= end) {
      drain();
    } else {
      next = std::min(next, end);
    }
  }
  timer_.set(next);
}

void Connection::close(Error reason) {
  if (open_) lose(std::move(reason));
}

void Connection::close_if_finished() {
  if (!open_) return;
  const bool drained = draining_ && !drain_pinged_ && session_.stream_count() == 0 &&
                       !session_.wants_write() && unsent_.empty();
  if (!drained && !session_.finished()) return;
  lose(lost_error(boost::system::errc::connection_aborted, "the connection was ended"));
}

void Connection::lose(Error reason) {
  if (!std::exchange(open_, false)) return;
  const auto held = shared_from_this();
  lost_because_ = std::move(reason);
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  set_unsent({});
  session_.abandon(NGHTTP2_CANCEL);
  on_lost();
}

}  // namespace concerto::net::http2
