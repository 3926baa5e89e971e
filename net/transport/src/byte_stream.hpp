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

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// Completion token whose await yields a tuple with the error code first.
inline constexpr auto tuple_task = asio::as_tuple(use_task);

/// Two parts that are sent as one write.
struct Outgoing {
  std::string_view head;
  std::string_view body;

  bool empty() const noexcept { return head.empty() && body.empty(); }
  void consume(std::size_t bytes) noexcept;
};

/// Sends a few bytes to a socket that nobody owns, and that no more follow.
void send_last_words(int descriptor, std::string_view text) noexcept;

/// What a read has given. With TLS an error may come together with the bytes before it.
struct Received {
  std::size_t bytes = 0;
  error_code error;
};

/// A TCP connection, plain or with TLS. Reading and writing never wait; whoever uses the stream
/// waits for the socket where `would_block` says so. The only place that reads from and writes to
/// the sockets of connections. A plain stream adds nothing to the system calls.
class ByteStream {
 public:
  explicit ByteStream(Socket socket) noexcept;
  ByteStream(Socket socket, std::unique_ptr<TlsSession> tls);
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) = delete;
  ~ByteStream();

  /// For connecting, waiting and cancelling.
  Socket& socket() noexcept { return socket_; }

  /// The connection speaks TLS from here on; no byte may be left unsent.
  void start_tls(std::unique_ptr<TlsSession> session);
  bool has_tls() const noexcept { return tls_ != nullptr; }
  /// Bytes in clear can be written: there is no TLS, or its handshake is done.
  bool is_open() const noexcept;

  /// Small writes leave at once. It only tunes, as the other one does.
  void set_no_delay() noexcept;
  /// How long sent bytes may stay without the acknowledgement of the peer's kernel.
  void set_send_limit(std::chrono::milliseconds limit) noexcept;

  /// Reads what is there. Fewer bytes than asked for without an error mean that there is no more
  /// now. Errors: would_block, always without bytes; eof when the peer sends no more; ssl's
  /// stream_truncated when it ended without the closing alert of TLS.
  Received read_now(std::span<char> into);
  /// The same, but waits for the first byte. `into` must stay valid.
  Task<std::tuple<error_code, std::size_t>> read(asio::mutable_buffer into);

  /// Sends what the kernel takes at once and consumes it. After would_block, which may come with
  /// everything consumed, wait until the socket is writable and call again. Other errors are final.
  error_code write_now(Outgoing& outgoing);
  /// Sends all; suspends only where the kernel's buffer is full. The views must stay valid.
  Task<error_code> write_all(Outgoing outgoing);

  /// Shakes hands; both sides of TLS.
  Task<error_code> handshake();
  /// TLS has bytes for the wire: call write_now, if need be with nothing.
  bool wants_write() const noexcept;
  /// Encrypted bytes that the kernel did not take.
  std::size_t unsent_bytes() const noexcept;

  /// This side sends no more. It may still read.
  void end_writing();
  /// Bytes have come that nobody has read.
  bool has_unread() noexcept;
  /// The peer has closed, or has sent something.
  bool is_stale() noexcept;
  /// Closes; what waits for the socket ends with operation_aborted. TLS says so first, as far as
  /// the socket takes it.
  void close();

  /// Why TLS failed or ended; no error while it goes on.
  const Error& tls_failure() const noexcept;
  /// What an error of this stream means, for people.
  Error explain(const error_code& error, std::string_view what) const;

 private:
  friend class Linger;
  struct Tls;

  Received receive(std::span<char> into) noexcept;
  Received read_tls(std::span<char> into);
  error_code write_tls(Outgoing& outgoing);
  error_code encrypt(Outgoing& outgoing);
  error_code send_wire();
  void say_goodbye();
  Task<std::tuple<error_code, std::size_t>> read_tls_when_ready(asio::mutable_buffer into);

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

/// The end of a connection after its last answer: what the peer still sends is read and dropped for
/// a bounded time and amount, so that the peer comes to read the answer. A socket that is closed
/// with unread input resets the connection, and what was answered would be lost.
class Linger {
 public:
  static constexpr std::chrono::milliseconds time_max{30'000};
  static constexpr std::chrono::milliseconds quiet_max{5'000};  ///< without a byte
  static constexpr std::chrono::milliseconds quiet_max_when_draining{500};
  /// More than the 20 MiB of a body that the reference takes.
  static constexpr std::uint64_t bytes_max = 32u << 20;

  /// `longest`: the time that the peer has at most.
  Linger(SteadyTime now, std::chrono::milliseconds longest) noexcept : end_(now + longest) {}

  /// When to close if no byte comes any more.
  SteadyTime limit(SteadyTime now, bool draining) const noexcept;
  /// Bytes that were read before.
  void count(std::size_t bytes) noexcept { dropped_ += bytes; }
  /// Drops what has come. False: the connection is to be closed.
  bool drop(ByteStream& stream) noexcept;
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  SteadyTime end_;
  std::uint64_t dropped_ = 0;
};

}  // namespace concerto::net
