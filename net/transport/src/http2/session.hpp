#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <nghttp2/nghttp2.h>

#include <concerto/base/error.hpp>

#include "http2/frame_budget.hpp"
#include "http2/stream.hpp"

namespace concerto::net::http2 {

enum class Side : std::uint8_t { client, server };

struct SessionOptions {
  std::uint32_t streams_max = 1000;  ///< that the peer may open at a time; 0 at a client
  /// Of a header or trailer block, counted as RFC 9113, section 6.5.2 does. A stream is told of no
  /// fields beyond it.
  std::uint32_t header_bytes_max = 16u << 10;
  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

/// One HTTP/2 connection without its socket: bytes in and events out, actions in and bytes out.
/// The same class serves both sides. nghttp2 does framing, HPACK and the protocol's checks.
class Session {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    /// Server: a request begins. Never null.
    virtual StreamPtr on_request() = 0;
    /// A SETTINGS frame of the peer has come and holds.
    virtual void on_settings() = 0;
    virtual void on_goaway(std::uint32_t error, std::string_view text) = 0;
    virtual void on_ping_ack() = 0;
    /// A stream was closed and is not counted any more.
    virtual void on_stream_closed() = 0;
    /// There is something to pull.
    virtual void on_output() = 0;
  };

  /// `events` must outlive the session.
  Session(Side side, const SessionOptions& options, Events& events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes bytes from the peer. An error means that the connection cannot go on; pull what is
  /// left first, it tells the peer why.
  [[nodiscard]] Result<> receive(std::string_view bytes, SteadyTime now);

  /// Room that `pull` needs to make progress.
  static constexpr std::size_t pull_bytes_min = (16u << 10) + 256;
  /// Fills `out` with frames and returns the bytes used: 0 when there is nothing to send.
  [[nodiscard]] Result<std::size_t> pull(std::span<char> out);

  /// Some request was answered or reset before it was whole: its peer may be sending the rest.
  bool left_input() const noexcept { return left_input_; }

  /// Neither side has anything more to say.
  bool finished() const noexcept;

  /// Client: opens a stream. False when stream ids are used up.
  bool request(Stream& stream, const HeaderBlock& headers);
  /// Server: the header block of a response. `only`: nothing follows, not even trailers.
  void respond(Stream& stream, const HeaderBlock& headers, bool only);
  /// The stream's out_ or out_ended_ changed.
  void resume(Stream& stream);
  /// Ends the stream with an HTTP/2 error code; on_close follows.
  void reset(Stream& stream, std::uint32_t error);
  /// `count` received bytes have been processed: the peer may send as many more.
  void consumed(Stream& stream, std::size_t count);

  void ping();
  /// Server: announces that the connection will end; streams may still arrive.
  void shutdown_notice();
  /// Server: takes no more streams; those that are open go on.
  void goaway();
  /// The connection is lost: closes every stream.
  void abandon(std::uint32_t error);

  /// `visit` may respond to the stream or reset it, which does not close it yet.
  template <class Visit>
  void for_each_stream(Visit visit) {
    for (Stream& stream : streams_) visit(stream);
  }

  bool wants_write() const noexcept { return nghttp2_session_want_write(session_) != 0; }
  /// Frames that were queued but not pulled, DATA aside.
  std::size_t waiting_frames() const noexcept {
    return nghttp2_session_get_outbound_queue_size(session_);
  }

  std::size_t stream_count() const noexcept { return streams_.size(); }
  /// Streams that the peer allows this side to open.
  std::size_t peer_streams_max() const noexcept;
  /// Client: a request can still be sent.
  bool can_request() const noexcept;

 private:
  struct Callbacks;
  friend struct Callbacks;

  struct Out {
    void append(std::string_view bytes) noexcept;
    void advance(std::size_t count) noexcept;
    char* next = nullptr;
    std::size_t free = 0;
  };

  /// Counts a field of the block that is being received. False if the connection has to end.
  bool count_field(Stream* stream, std::string_view name, std::string_view value);
  /// Queues the GOAWAY that says why this side ends the connection.
  Error calm_down(std::string_view why);
  void attach(Stream& stream, std::int32_t id);
  void detach(Stream& stream, std::uint32_t error);
  nghttp2_data_provider data_of(Stream& stream) noexcept;

  Events& events_;
  const Side side_;
  const std::size_t header_bytes_max_;
  nghttp2_session* session_ = nullptr;
  Out out_;  ///< where pull collects
  boost::intrusive::list<Stream> streams_;
  std::int32_t last_stream_id_ = std::numeric_limits<std::int32_t>::max();  ///< that is taken
  FrameBudget frames_;
  bool left_input_ = false;
  std::size_t block_bytes_ = 0;  ///< of the header block that is being received, so far
};

}  // namespace concerto::net::http2
