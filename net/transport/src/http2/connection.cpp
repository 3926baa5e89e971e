#include "http2/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

namespace concerto::net::http2 {
namespace {

constexpr std::size_t read_bytes = 64u << 10;
constexpr std::size_t write_bytes = 64u << 10;
/// So many reads follow each other before other connections get their turn.
constexpr int reads_max = 4;
/// A peer that sends but does not read may have so many frames waiting for it.
constexpr std::size_t waiting_frames_max = 20'000;

Error lost_error(boost::system::errc::errc_t code, std::string detail) {
  return Error{boost::system::errc::make_error_code(code), std::move(detail)};
}

/// Says what answered in place of an HTTP/2 server, judged by its first bytes. Empty if it may be
/// one.
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

Connection::Connection(ByteStream stream, SendRound& round, Timers& timers, Side side,
                       const SessionOptions& options, const ConnectionLimits& limits)
    : keepalive_interval_(limits.keepalive_interval),
      stream_(std::move(stream)),
      round_(round),
      timers_(timers),
      limits_(limits),
      side_(side),
      session_(side, options, *this),
      timer_(timers, [this] { on_timer(); }) {}

void Connection::start() {
  stream_.set_no_delay();
  stream_.set_send_limit(limits_.keepalive_timeout);
  last_read_ = idle_since_ = timers_.now();
  timer_.set(last_read_ + limits_.handshake_timeout);
  on_output();
  wait_readable();
}

void Connection::wait_readable() {
  if (std::exchange(reading_, true)) return;
  stream_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->reading_ = false;
    if (!error) self->on_wake_up();
  });
}

/// Bytes that TLS has already read from the socket do not make the socket readable again.
void Connection::read_on_soon() {
  if (std::exchange(reading_, true)) return;
  asio::post(round_.executor(), [self = shared_from_this()] {
    self->reading_ = false;
    self->on_wake_up();
  });
}

void Connection::on_wake_up() {
  if (open_) return on_readable();
  if (linger_) on_lingering();
}

void Connection::on_readable() {
  std::array<char, read_bytes> buffer;  // NOLINT: filled by read_now
  last_read_ = timers_.now();
  pinged_ = false;
  bool may_have_more = true;
  for (int reads = 0; reads < reads_max && may_have_more; ++reads) {
    const Received got = stream_.read_now(buffer);
    if (got.bytes > 0 && !receive({buffer.data(), got.bytes})) return;
    if (got.error && got.error != asio::error::would_block) return lose_input(got.error);
    may_have_more = got.bytes == buffer.size();
  }
  if (stream_.has_tls() &&
      (stream_.wants_write() || (stream_.is_open() && session_.wants_write()))) {
    on_output();
  }
  if (stream_.has_tls() && may_have_more) return read_on_soon();
  wait_readable();
}

void Connection::lose_input(const error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return lose(lost_error(boost::system::errc::connection_reset, closed_by_peer()));
  }
  if (!blocked_ && stream_.wants_write()) {
    Outgoing nothing;  // Sends the alert that tells the peer what was wrong.
    stream_.write_now(nothing);
  }
  lose(stream_.explain(error, "read"),
       stream_.has_tls() ? Ending::after_last_words : Ending::at_once);
}

std::string Connection::closed_by_peer() const {
  std::string text = "closed by the peer";
  if (!stream_.is_open()) {
    text += " in the handshake of TLS: does it speak TLS?";
  } else if (!ready_) {
    text += stream_.has_tls() ? " before its first frame"
                              : " before its first frame: does it want TLS?";
  }
  return text;
}

bool Connection::receive(std::string_view bytes) {
  if (side_ == Side::client && !ready_) {
    if (std::string other = other_protocol(bytes); !other.empty()) {
      lose(lost_error(boost::system::errc::protocol_error, std::move(other)));
      return false;
    }
  }
  if (auto received = session_.receive(bytes, last_read_); !received) {
    flush();  // Sends the GOAWAY that tells the peer what was wrong.
    lose(std::move(received).error(), Ending::after_last_words);
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
  round_.schedule(shared_from_this());
}

void Connection::flush() {
  dirty_ = false;
  if (!open_ || blocked_) return;
  std::array<char, write_bytes> buffer;  // NOLINT: filled by pull
  for (;;) {
    std::size_t count = 0;
    if (stream_.is_open()) {
      auto pulled = session_.pull(buffer);
      if (!pulled) return lose(std::move(pulled).error());
      count = *pulled;
    }
    if (count == 0 && !stream_.wants_write()) break;
    if (!send({buffer.data(), count})) return;
  }
  close_if_finished();
}

/// False if the stream did not accept everything, or is lost.
bool Connection::send(std::string_view bytes) {
  Outgoing outgoing{bytes, {}};
  const error_code error = stream_.write_now(outgoing);
  if (!error) return true;
  if (error == asio::error::would_block) {
    block(outgoing.head);
  } else {
    lose(stream_.explain(error, "write"));
  }
  return false;
}

void Connection::block(std::string_view unsent) {
  blocked_ = true;
  blocked_since_ = timers_.now();
  timer_.set(end_of_blocking());
  set_unsent(std::string(unsent));
  stream_.socket().async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
    if (!error && self->open_) self->on_writable();
  });
}

void Connection::set_unsent(std::string bytes) {
  unsent_ = std::move(bytes);
  const std::size_t now = unsent_.size() + stream_.unsent_bytes();
  on_unsent(std::exchange(unsent_bytes_, now), now);
}

void Connection::on_writable() {
  if (!send(unsent_)) return;
  blocked_ = false;
  set_unsent({});
  flush();
  if (open_ && !blocked_ && drain_pinged_) timer_.set(end_of_drain_ping());
}

void Connection::on_settings() {
  if (std::exchange(ready_, true)) return on_changed_settings();
  const bool may_idle = limits_.idle_timeout.count() > 0;
  const auto interval =
      may_idle ? std::min(keepalive_interval_, limits_.idle_timeout) : keepalive_interval_;
  if (!drain_pinged_) timer_.set(timers_.now() + interval);
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
  if (session_.stream_count() > 0) return;
  idle_since_ = timers_.now();
  if (open_ && drain_pinged_) timer_.set(end_of_drain_ping());
}

void Connection::drain() {
  if (std::exchange(draining_, true)) return;
  if (linger_) return timer_.set(linger_->limit(timers_.now(), draining_));
  if (!open_) return;
  if (side_ == Side::client) return on_output();  // The flush ends a connection without streams.
  // The peer may have sent requests already, so the final GOAWAY follows one round trip later.
  drain_pinged_ = true;
  drain_since_ = timers_.now();
  session_.shutdown_notice();
  session_.ping();
  timer_.set(blocked_ ? end_of_blocking() : end_of_drain_ping());
}

SteadyTime Connection::end_of_drain_ping() const noexcept {
  if (session_.stream_count() == 0 && !blocked_) {
    return drain_since_ + std::min(drain_patience, limits_.keepalive_timeout);
  }
  // The PING waits behind data that the peer still reads, so every sign of life counts.
  return std::max({drain_since_, last_read_, blocked_since_}) + limits_.keepalive_timeout;
}

/// The round trip of the first announcement takes too long, so the connection ends now.
void Connection::announce_end() {
  drain_pinged_ = false;
  session_.goaway();
  end(lost_error(boost::system::errc::timed_out, "no answer to the PING that announced the end"));
}

void Connection::probe() {
  if (!open_ || !ready_ || std::exchange(pinged_, true)) return;
  ping_since_ = timers_.now();
  session_.ping();
  const SteadyTime end = ping_since_ + limits_.keepalive_timeout;
  timer_.set(blocked_ ? std::min(end, end_of_blocking()) : end);
}

void Connection::on_timer() {
  const SteadyTime now = timers_.now();
  const auto timed_out = [this](const char* text) {
    lose(lost_error(boost::system::errc::timed_out, text));
  };
  if (linger_) return finish();
  if (drain_pinged_ && now >= end_of_drain_ping()) return announce_end();
  if (!ready_ && !drain_pinged_) {
    return timed_out(stream_.is_open() ? "no HTTP/2 SETTINGS frame in time"
                                       : "no handshake of TLS in time");
  }
  SteadyTime next = now + keepalive_interval_;
  if (drain_pinged_) next = std::min(next, end_of_drain_ping());
  if (blocked_) {
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
      if (drain_pinged_) next = std::min(next, end_of_drain_ping());
    } else {
      next = std::min(next, end);
    }
  }
  timer_.set(next);
}

void Connection::close(Error reason) {
  if (open_) return lose(std::move(reason));
  if (linger_) finish();
}

void Connection::end(Error reason) {
  const auto held = shared_from_this();
  const bool had_streams = session_.stream_count() > 0;
  flush();
  if (!open_) return;
  const bool lingers = had_streams || may_be_writing();
  lose(std::move(reason), lingers ? Ending::after_last_words : Ending::at_once);
}

/// True if the peer may still be sending a request that was answered before it was complete.
bool Connection::may_be_writing() noexcept {
  return session_.left_input() || stream_.has_unread();
}

void Connection::close_if_finished() {
  if (!open_ || blocked_) return;
  const bool drained =
      draining_ && !drain_pinged_ && session_.stream_count() == 0 && !session_.wants_write();
  if (!drained && !session_.finished()) return;
  // A session that ended by itself was given something that it did not accept.
  const bool lingers = !drained || may_be_writing();
  lose(lost_error(boost::system::errc::connection_aborted, "the connection was ended"),
       lingers ? Ending::after_last_words : Ending::at_once);
}

void Connection::lose(Error reason, Ending ending) {
  if (!std::exchange(open_, false)) return;
  const auto held = shared_from_this();
  lost_because_ = std::move(reason);
  timer_.cancel();
  const bool lingers = ending == Ending::after_last_words && side_ == Side::server && !blocked_;
  if (!lingers) stream_.close();
  set_unsent({});
  session_.abandon(NGHTTP2_CANCEL);
  if (lingers) return linger();
  on_lost();
}

void Connection::linger() {
  const SteadyTime now = timers_.now();
  stream_.end_writing();
  linger_.emplace(now, Linger::time_max);
  timer_.set(linger_->limit(now, draining_));
  wait_readable();
}

void Connection::on_lingering() {
  if (!linger_->drop(stream_)) return finish();
  timer_.set(linger_->limit(timers_.now(), draining_));
  wait_readable();
}

void Connection::finish() {
  const auto held = shared_from_this();
  timer_.cancel();
  linger_.reset();
  stream_.close();
  on_lost();
}

}  // namespace concerto::net::http2
