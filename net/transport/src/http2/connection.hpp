#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>

#include "http2/session.hpp"
#include "http2/tls_session.hpp"
#include "http2/turn.hpp"

namespace concerto::net::http2 {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct ConnectionLimits {
  std::chrono::milliseconds handshake_timeout{20'000};
  std::chrono::milliseconds keepalive_interval{120'000};
  std::chrono::milliseconds keepalive_timeout{20'000};
  std::chrono::milliseconds idle_timeout{0};  ///< 0: never
  bool keepalive_without_streams = true;
};

/// A session on a socket, plain or with TLS. Owns no buffer while it is idle: it waits for the
/// socket to become readable and reads into the stack. Shared ownership, because operations on the
/// socket may be pending. Everything on the shard's thread.
class Connection : public std::enable_shared_from_this<Connection>, public Session::Events {
 public:
  Connection(Socket socket, Turn& turn, Timers& timers, Side side, const SessionOptions& options,
             const ConnectionLimits& limits, std::unique_ptr<TlsSession> tls = nullptr);
  ~Connection() override = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();

  /// Ends the connection now; its streams are closed and on_lost is called.
  void close(Error reason);
  /// Announces the end, lets running streams finish, then closes.
  void drain();

  /// Asks with a PING whether the peer is still there; without an answer within the keepalive
  /// timeout the connection is lost.
  void probe();

  /// Sends what the session has to say.
  void flush();

  bool is_open() const noexcept { return open_; }
  bool is_ready() const noexcept { return ready_; }  ///< the peer's SETTINGS have come
  bool is_draining() const noexcept { return draining_; }
  /// A PING is out, and nothing has come since.
  bool is_probed() const noexcept { return pinged_; }
  /// When bytes came from the peer.
  SteadyTime last_read() const noexcept { return last_read_; }
  /// Since when it has no stream; of no meaning while it has one.
  SteadyTime idle_since() const noexcept { return idle_since_; }
  /// Why it was lost.
  const Error& lost_because() const noexcept { return lost_because_; }

  Session& session() noexcept { return session_; }
  const Session& session() const noexcept { return session_; }
  Turn& turn() noexcept { return turn_; }
  Timers& timers() noexcept { return timers_; }

 protected:
  virtual void on_ready() {}
  /// The peer has changed its SETTINGS: it may allow more streams.
  virtual void on_changed_settings() {}
  /// The last call; the streams are closed already.
  virtual void on_lost() = 0;
  /// The peer announced the end of the connection.
  virtual void on_drain() {}
  /// The bytes that wait for the socket are `now` so many, and were `before`.
  virtual void on_unsent(std::size_t before, std::size_t now) { (void)before, (void)now; }
  void on_stream_closed() override;

  void on_settings() override;
  void on_goaway(std::uint32_t error, std::string_view text) override;
  void on_ping_ack() override;
  void on_output() override;

  /// Doubled when the peer complains about pings.
  std::chrono::milliseconds keepalive_interval_;

 private:
  void wait_readable();
  void on_readable();
  std::string closed_by_peer() const;
  bool decrypt(std::string_view wire);
  bool receive(std::string_view bytes);
  Result<std::size_t> pull(std::span<char> out);
  void block(std::string_view unsent);
  void set_unsent(std::string bytes);
  void on_writable();
  std::size_t send(std::string_view bytes);
  void on_timer();
  void close_if_finished();
  void lose(Error reason);
  SteadyTime end_of_blocking() const noexcept { return blocked_since_ + limits_.keepalive_timeout; }

  Socket socket_;
  Turn& turn_;
  Timers& timers_;
  const ConnectionLimits limits_;
  const Side side_;
  Session session_;
  const std::unique_ptr<TlsSession> tls_;
  Timer timer_;
  Error lost_because_;
  std::string unsent_;  ///< what the socket did not take
  SteadyTime last_read_;
  SteadyTime idle_since_;
  SteadyTime blocked_since_;
  SteadyTime ping_since_;
  bool open_ = true;
  bool ready_ = false;
  bool draining_ = false;
  bool dirty_ = false;  ///< scheduled for a flush
  bool pinged_ = false;
  bool drain_pinged_ = false;  ///< the answer to this ping turns the notice into a GOAWAY
};

}  // namespace concerto::net::http2
