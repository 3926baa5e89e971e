#include "byte_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <boost/asio/ssl/error.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <concerto/base/assert.hpp>

#include "tls_session.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t wire_bytes = 64u << 10;
constexpr std::size_t record_bytes = 16u << 10;
/// So many records are encrypted before the next attempt to send.
constexpr int records_per_send = 4;
/// So many reads from the socket follow each other before other connections get their turn.
constexpr int receives_max = 4;
/// So many reads of a lingering connection follow each other before other connections get their
/// turn.
constexpr int drops_max = 4;

error_code last_error() noexcept {
  return {errno, boost::system::system_category()};
}

/// Sends both parts with one system call.
ssize_t send_parts(int fd, const Outgoing& outgoing) noexcept {
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (outgoing.body.empty()) {
    return ::send(fd, outgoing.head.data(), outgoing.head.size(), flags);
  }
  std::array<iovec, 2> parts{{{const_cast<char*>(outgoing.head.data()), outgoing.head.size()},
                              {const_cast<char*>(outgoing.body.data()), outgoing.body.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(fd, &message, flags);
}

/// Sends what the kernel accepts. An error other than would_block is final.
error_code send_plain(int fd, Outgoing& outgoing) noexcept {
  while (!outgoing.empty()) {
    const ssize_t count = send_parts(fd, outgoing);
    if (count >= 0) {
      outgoing.consume(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

}  // namespace

struct ByteStream::Tls {
  explicit Tls(std::unique_ptr<TlsSession> made) noexcept : session(std::move(made)) {}

  error_code fail(Error error) {
    failure = std::move(error);
    return failure.code;
  }

  std::unique_ptr<TlsSession> session;
  std::string unsent;  ///< encrypted bytes that the kernel did not accept
  Error failure;       ///< why no more can be read
};

void Outgoing::consume(std::size_t bytes) noexcept {
  const std::size_t from_head = std::min(bytes, head.size());
  head.remove_prefix(from_head);
  body.remove_prefix(bytes - from_head);
}

void send_last_words(int descriptor, std::string_view text) noexcept {
  // A fresh socket accepts a few bytes at once. If the peer has gone already, nothing is lost.
  Outgoing words{text, {}};
  if (!send_plain(descriptor, words)) ::shutdown(descriptor, SHUT_WR);
}

ByteStream::ByteStream(Socket socket) noexcept : socket_(std::move(socket)) {}

ByteStream::ByteStream(Socket socket, std::unique_ptr<TlsSession> tls)
    : socket_(std::move(socket)) {
  if (tls) start_tls(std::move(tls));
}

ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream::~ByteStream() = default;

void ByteStream::start_tls(std::unique_ptr<TlsSession> session) {
  CONCERTO_ASSERT(!tls_);
  tls_ = std::make_unique<Tls>(std::move(session));
}

bool ByteStream::is_open() const noexcept {
  return !tls_ || tls_->session->is_open();
}

const std::shared_ptr<const PeerCertificate>& ByteStream::peer_certificate() const noexcept {
  static const std::shared_ptr<const PeerCertificate> none;
  return tls_ ? tls_->session->peer_certificate() : none;
}

void ByteStream::set_no_delay() noexcept {
  // Setting an option fails if the peer has already reset the connection. The first read reports
  // that.
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void ByteStream::set_send_limit(std::chrono::milliseconds limit) noexcept {
  const auto patience = static_cast<unsigned>(limit.count());
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
}

Received ByteStream::receive(std::span<char> into) noexcept {
  for (;;) {
    const ssize_t count = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return {static_cast<std::size_t>(count), {}};
    if (count == 0) return {0, asio::error::eof};
    if (errno != EINTR) return {0, last_error()};
  }
}

Received ByteStream::read_now(std::span<char> into) {
  return tls_ ? read_tls(into) : receive(into);
}

Received ByteStream::read_tls(std::span<char> into) {
  if (tls_->failure.code) return {0, tls_->failure.code};
  std::size_t bytes = 0;
  int receives = 0;
  for (bool is_last = false; bytes < into.size();) {
    auto count = tls_->session->read(into.subspan(bytes));
    if (!count) return {bytes, tls_->fail(std::move(count).error())};
    bytes += *count;
    if (*count > 0) continue;
    const bool ends = is_last || receives == receives_max;
    const Received got = ends ? Received{0, asio::error::would_block} : receive_wire();
    ++receives;
    if (got.error == asio::error::would_block) {
      return {bytes, bytes > 0 ? error_code{} : got.error};
    }
    if (got.error) {
      const bool is_cut = got.error == asio::error::eof;
      const error_code why = is_cut ? error_code{asio::ssl::error::stream_truncated} : got.error;
      return {bytes, tls_->fail(Error{why, why.message()})};
    }
    is_last = got.bytes < wire_bytes;
  }
  return {bytes, {}};
}

/// Passes what has arrived to the session.
Received ByteStream::receive_wire() {
  std::array<char, wire_bytes> wire;  // NOLINT: filled by receive
  const Received got = receive(wire);
  if (got.bytes > 0) tls_->session->put({wire.data(), got.bytes});
  return got;
}

Task<std::tuple<error_code, std::size_t>> ByteStream::read(asio::mutable_buffer into) {
  if (tls_) return read_tls_when_ready(into);
  return socket_.async_read_some(into, tuple_task);
}

Task<std::tuple<error_code, std::size_t>> ByteStream::read_tls_when_ready(
    asio::mutable_buffer into) {
  const std::span<char> space{static_cast<char*>(into.data()), into.size()};
  for (bool has_waited = false;; has_waited = true) {
    const Received got = read_now(space);
    // TLS may have to answer. What the kernel does not accept is sent with the next write.
    if (tls_->session->pending_bytes() > 0) (void)send_wire();
    const bool is_ready = got.bytes > 0 || got.error != asio::error::would_block;
    // As Asio's own reads do: a peer that sends all the time leaves other connections their turn.
    if (is_ready && !has_waited) co_await asio::post(socket_.get_executor(), use_task);
    if (got.bytes > 0) co_return std::make_tuple(error_code{}, got.bytes);
    if (is_ready) co_return std::make_tuple(got.error, got.bytes);
    const auto [failed] = co_await socket_.async_wait(Socket::wait_read, tuple_task);
    if (failed) co_return std::make_tuple(failed, got.bytes);
  }
}

error_code ByteStream::write_now(Outgoing& outgoing) {
  return tls_ ? write_tls(outgoing) : send_plain(socket_.native_handle(), outgoing);
}

error_code ByteStream::write_tls(Outgoing& outgoing) {
  for (;;) {
    if (const error_code error = send_wire()) return error;
    if (outgoing.empty()) return {};
    CONCERTO_ASSERT(is_open());
    if (const error_code error = encrypt(outgoing)) return error;
  }
}

/// Head and body are joined into one record, so that a head is not sent without its body.
error_code ByteStream::encrypt(Outgoing& outgoing) {
  std::array<char, record_bytes> joined;  // NOLINT: filled below
  for (int records = 0; records < records_per_send && !outgoing.empty(); ++records) {
    std::string_view clear = outgoing.head.substr(0, record_bytes);
    if (clear.size() < record_bytes && !outgoing.body.empty()) {
      const std::size_t more = std::min(record_bytes - clear.size(), outgoing.body.size());
      if (!clear.empty()) std::memcpy(joined.data(), clear.data(), clear.size());
      std::memcpy(joined.data() + clear.size(), outgoing.body.data(), more);
      clear = {joined.data(), clear.size() + more};
    }
    if (auto written = tls_->session->write(clear); !written) {
      return tls_->fail(std::move(written).error());
    }
    outgoing.consume(clear.size());
  }
  return {};
}

error_code ByteStream::send_wire() {
  const int fd = socket_.native_handle();
  if (!tls_->unsent.empty()) {
    Outgoing rest{tls_->unsent, {}};
    const error_code error = send_plain(fd, rest);
    tls_->unsent.erase(0, tls_->unsent.size() - rest.head.size());
    if (error) return error;
    tls_->unsent = {};
  }
  std::array<char, wire_bytes> wire;  // NOLINT: filled by pull
  while (const std::size_t count = tls_->session->pull(wire)) {
    Outgoing rest{{wire.data(), count}, {}};
    if (const error_code error = send_plain(fd, rest)) {
      tls_->unsent.assign(rest.head);
      return error;
    }
  }
  return {};
}

Task<error_code> ByteStream::write_all(Outgoing outgoing) {
  for (;;) {
    const error_code error = write_now(outgoing);
    if (error != asio::error::would_block) co_return error;
    const auto [failed] = co_await socket_.async_wait(Socket::wait_write, tuple_task);
    if (failed) co_return failed;
  }
}

Task<error_code> ByteStream::handshake() {
  for (;;) {
    auto shaken = tls_->session->handshake();
    const Outgoing nothing;
    const error_code unsent = co_await write_all(nothing);  // After a failure this sends the alert.
    if (!shaken) co_return tls_->fail(std::move(shaken).error());
    if (unsent) co_return unsent;
    if (is_open()) co_return error_code{};
    const auto [failed] = co_await socket_.async_wait(Socket::wait_read, tuple_task);
    if (failed) co_return failed;
    const Received got = receive_wire();
    if (got.error && got.error != asio::error::would_block) co_return got.error;
  }
}

bool ByteStream::wants_write() const noexcept {
  return unsent_bytes() > 0;
}

std::size_t ByteStream::unsent_bytes() const noexcept {
  return tls_ ? tls_->unsent.size() + tls_->session->pending_bytes() : 0;
}

void ByteStream::say_goodbye() {
  if (!tls_ || !tls_->unsent.empty()) return;
  // A peer that has ended its direction may still read. After any other failure there is nothing to
  // say.
  if (tls_->failure.code && tls_->failure.code != asio::error::eof) return;
  tls_->session->end();
  (void)send_wire();  // The closing alert is a courtesy.
}

void ByteStream::end_writing() {
  say_goodbye();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

bool ByteStream::has_unread() noexcept {
  error_code ignored;
  return socket_.available(ignored) > 0;
}

bool ByteStream::is_stale() noexcept {
  char byte = 0;
  const auto received =
      ::recv(socket_.native_handle(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return received >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void ByteStream::close() {
  if (socket_.is_open()) say_goodbye();
  error_code ignored;
  socket_.close(ignored);
  if (tls_) tls_->unsent.clear();
}

const Error& ByteStream::tls_failure() const noexcept {
  static const Error none;
  return tls_ ? tls_->failure : none;
}

Error ByteStream::explain(const error_code& error, std::string_view what) const {
  if (tls_failure().code == error) return tls_failure();
  return Error{error, std::string(what) + ": " + error.message()};
}

SteadyTime Linger::limit(SteadyTime now, bool draining) const noexcept {
  return std::min(now + (draining ? quiet_max_when_draining : quiet_max), end_);
}

bool Linger::drop(ByteStream& stream) noexcept {
  std::array<char, wire_bytes> bytes;  // NOLINT: the bytes are dropped
  for (int reads = 0; reads < drops_max; ++reads) {
    const Received got = stream.receive(bytes);
    if (got.error == asio::error::would_block) break;
    if (got.error) return false;
    dropped_ += got.bytes;
    if (got.bytes < bytes.size()) break;
  }
  return dropped_ < bytes_max;
}

}  // namespace concerto::net
