#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>

namespace concerto::net {

class TlsSession;
struct PeerCertificate;

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// A completion token: co_await gives a tuple whose first element is the error code.
inline constexpr auto tuple_task = asio::as_tuple(use_task);

/// Two parts that are sent as one write.
struct Outgoing {
  std::string_view head;
  std::string_view body;

  bool empty() const noexcept { return head.empty() && body.empty(); }
  void consume(std::size_t bytes) noexcept;
};

/// Sends a few bytes to a socket that no object owns yet, and ends the sending direction.
void send_last_words(int descriptor, std::string_view text) noexcept;

/// What a read returned. With TLS, an error may come together with the bytes that precede it.
struct Received {
  std::size_t bytes = 0;
  error_code error;
};

/// A TCP connection, plain or with TLS. read_now and write_now never wait: after `would_block` the
/// caller waits for the socket. Only this class reads from and writes to the sockets of
/// connections. A plain stream costs no more than the system calls.
class ByteStream {
 public:
  explicit ByteStream(Socket socket) noexcept;
  ByteStream(Socket socket, std::unique_ptr<TlsSession> tls);
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) = delete;
  ~ByteStream();

  /// For connecting, waiting and cancelling.
  Socket& socket() noexcept { return socket_; }

  /// From here on the connection speaks TLS. No bytes may be unsent at this moment.
  void start_tls(std::unique_ptr<TlsSession> session);
  bool has_tls() const noexcept { return tls_ != nullptr; }
  /// True if the application's bytes can be written: there is no TLS, or its handshake has ended.
  bool is_open() const noexcept;
  /// The certificate that a server's client has shown; null without one.
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const noexcept;

  /// Small writes are sent at once. Failures of this function and the next one are ignored: both
  /// only tune the connection.
  void set_no_delay() noexcept;
  /// Limits the time in which the peer's kernel has to acknowledge sent bytes.
  void set_send_limit(std::chrono::milliseconds limit) noexcept;

  /// Reads what has arrived. After fewer bytes than asked for, without an error, wait for the
  /// socket: no more has arrived, or others are to have their turn first. Errors: would_block,
  /// always without bytes; eof when the peer has ended its direction; stream_truncated (of ssl)
  /// when it did so without the closing alert of TLS.
  Received read_now(std::span<char> into);
  /// Like read_now, but waits for the first byte. `into` must stay valid.
  Task<std::tuple<error_code, std::size_t>> read(asio::mutable_buffer into);

  /// Sends what the kernel accepts at once, and removes it from `outgoing`. After would_block wait
  /// until the socket is writable and call again, even if `outgoing` is empty. Other errors are
  /// final.
  error_code write_now(Outgoing& outgoing);
  /// Sends everything; suspends only when the kernel's buffer is full. The views must stay valid.
  Task<error_code> write_all(Outgoing outgoing);

  /// Performs the TLS handshake, as client or server.
  Task<error_code> handshake();
  /// True if TLS has bytes to send: call write_now, if need be with an empty Outgoing.
  bool wants_write() const noexcept;
  /// The number of encrypted bytes that are not sent.
  std::size_t unsent_bytes() const noexcept;

  /// Ends this side's direction. Reading goes on.
  void end_writing();
  /// True if bytes have arrived that were not read.
  bool has_unread() noexcept;
  /// True if the peer has closed the connection or sent something.
  bool is_stale() noexcept;
  /// Closes the connection; a pending wait ends with operation_aborted. With TLS the closing alert
  /// is sent first, if the socket accepts it.
  void close();

  /// Why TLS failed or ended; no error as long as it works.
  const Error& tls_failure() const noexcept;
  /// Describes an error of this stream for people.
  Error explain(const error_code& error, std::string_view what) const;

 private:
  friend class Linger;
  struct Tls;

  Received receive(std::span<char> into) noexcept;
  Received receive_wire();
  Received read_tls(std::span<char> into);
  error_code write_tls(Outgoing& outgoing);
  error_code encrypt(Outgoing& outgoing);
  error_code send_wire();
  void say_goodbye();
  Task<std::tuple<error_code, std::size_t>> read_tls_when_ready(asio::mutable_buffer into);

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

/// The end of a connection after its last answer: what the peer still sends is read and dropped, up
/// to limits of time and bytes, so that the peer can read the answer. If a socket is closed with
/// unread input, the kernel resets the connection and the answer is lost.
class Linger {
 public:
  static constexpr std::chrono::milliseconds time_max{30'000};
  static constexpr std::chrono::milliseconds quiet_max{5'000};  ///< without a byte from the peer
  static constexpr std::chrono::milliseconds quiet_max_when_draining{500};
  /// More than the largest body that the reference accepts, which is 20 MiB.
  static constexpr std::uint64_t bytes_max = 32u << 20;

  /// The connection lingers for at most `longest`.
  Linger(SteadyTime now, std::chrono::milliseconds longest) noexcept : end_(now + longest) {}

  /// The time at which to close the connection if no further byte arrives.
  SteadyTime limit(SteadyTime now, bool draining) const noexcept;
  /// Counts bytes that were dropped elsewhere.
  void count(std::size_t bytes) noexcept { dropped_ += bytes; }
  /// Drops what has arrived. False if the connection has to be closed now.
  bool drop(ByteStream& stream) noexcept;
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  SteadyTime end_;
  std::uint64_t dropped_ = 0;
};

}  // namespace concerto::net
