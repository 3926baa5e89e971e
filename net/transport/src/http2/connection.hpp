#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>

#include "byte_stream.hpp"
#include "http2/send_round.hpp"
#include "http2/session.hpp"

namespace concerto::net::http2 {

struct ConnectionLimits {
  std::chrono::milliseconds handshake_timeout{20'000};
  std::chrono::milliseconds keepalive_interval{120'000};
  std::chrono::milliseconds keepalive_timeout{20'000};
  std::chrono::milliseconds idle_timeout{0};  ///< 0: no limit
  bool keepalive_without_streams = true;
};

/// A session on a byte stream. An idle connection owns no buffer: it waits until the socket is
/// readable and reads into an array on the stack. Ownership is shared, because operations on the
/// socket may be pending. All functions are called on the shard's thread.
///
/// After its last frames a server's connection lingers. It is not open any more, but on_lost
/// follows only when the peer has closed its end or was quiet for some time.
class Connection : public std::enable_shared_from_this<Connection>, public Session::Events {
 public:
  Connection(ByteStream stream, SendRound& round, Timers& timers, Side side,
             const SessionOptions& options, const ConnectionLimits& limits);
  ~Connection() override = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();

  /// Ends the connection now: closes its streams and calls on_lost.
  void close(Error reason);
  /// Sends what the session has queued and ends the connection. A server's connection lingers if
  /// the peer may be writing or has calls.
  void end(Error reason);
  /// Announces the end, lets running streams end, then closes. A server waits until the peer has
  /// answered the announcement. Without streams it waits for at most drain_patience; with streams
  /// until the peer has shown no life for the keepalive timeout.
  void drain();

  /// The time that a server's connection without streams waits for requests which the peer sent
  /// before it saw the announcement.
  static constexpr std::chrono::milliseconds drain_patience{500};

  /// Sends a PING. Without an answer within the keepalive timeout the connection is lost.
  void probe();

  /// Sends what the session has queued.
  void flush();

  bool is_open() const noexcept { return open_; }
  bool is_ready() const noexcept { return ready_; }  ///< the peer's SETTINGS have arrived
  /// True unless there is TLS and its handshake has not ended.
  bool has_shaken_hands() const noexcept { return stream_.is_open(); }
  /// The certificate that a server's client has shown; null without one.
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const noexcept {
    return stream_.peer_certificate();
  }
  bool is_draining() const noexcept { return draining_; }
  /// True if a PING was sent and nothing has arrived since.
  bool is_probed() const noexcept { return pinged_; }
  /// When bytes last arrived from the peer.
  SteadyTime last_read() const noexcept { return last_read_; }
  /// Why the connection was lost.
  const Error& lost_because() const noexcept { return lost_because_; }

  Session& session() noexcept { return session_; }
  const Session& session() const noexcept { return session_; }
  SendRound& round() noexcept { return round_; }
  Timers& timers() noexcept { return timers_; }

 protected:
  virtual void on_ready() {}
  /// The peer has changed its SETTINGS: it may allow more streams.
  virtual void on_changed_settings() {}
  /// The last event. The streams are closed already.
  virtual void on_lost() = 0;
  /// The peer announced the end of the connection.
  virtual void on_drain() {}
  /// The number of bytes that wait for the socket changed from `before` to `now`.
  virtual void on_unsent(std::size_t before, std::size_t now) { (void)before, (void)now; }
  void on_stream_closed() override;

  void on_settings() override;
  void on_goaway(std::uint32_t error, std::string_view text) override;
  void on_ping_ack() override;
  void on_output() override;

  /// Doubled when the peer complains about PINGs.
  std::chrono::milliseconds keepalive_interval_;

 private:
  /// Whether the connection ends at once, or lingers so that the peer can read what was sent.
  enum class Ending { at_once, after_last_words };

  void wait_readable();
  void read_on_soon();
  void on_wake_up();
  void on_readable();
  void lose_input(const error_code& error);
  std::string closed_by_peer() const;
  bool receive(std::string_view bytes);
  bool send(std::string_view bytes);
  void block(std::string_view unsent);
  void set_unsent(std::string bytes);
  void on_writable();
  void on_timer();
  SteadyTime end_of_drain_ping() const noexcept;
  void announce_end();
  void close_if_finished();
  bool may_be_writing() noexcept;
  void lose(Error reason, Ending ending = Ending::at_once);
  void linger();
  void on_lingering();
  void finish();
  SteadyTime end_of_blocking() const noexcept { return blocked_since_ + limits_.keepalive_timeout; }

  ByteStream stream_;
  SendRound& round_;
  Timers& timers_;
  const ConnectionLimits limits_;
  const Side side_;
  Session session_;
  Timer timer_;
  Error lost_because_;
  std::optional<Linger> linger_;
  std::string unsent_;            ///< bytes that the stream did not accept
  std::size_t unsent_bytes_ = 0;  ///< as last passed to on_unsent
  SteadyTime last_read_;
  SteadyTime idle_since_;  ///< since when there is no stream; without meaning while there is one
  SteadyTime blocked_since_;
  SteadyTime ping_since_;
  SteadyTime drain_since_;
  bool open_ = true;
  bool reading_ = false;  ///< waits until the socket is readable
  bool blocked_ = false;  ///< waits until the socket is writable
  bool ready_ = false;
  bool draining_ = false;
  bool dirty_ = false;  ///< scheduled for a flush
  bool pinged_ = false;
  bool drain_pinged_ = false;  ///< drain sent a PING; the final GOAWAY follows its answer
};

}  // namespace concerto::net::http2
