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
  std::uint32_t streams_max = 1000;  ///< streams that the peer may have open; 0 at a client
  /// Limit of a header or trailer block, counted as in RFC 9113, section 6.5.2. A stream does not
  /// get the fields beyond the limit.
  std::uint32_t header_bytes_max = 16u << 10;
  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

/// One HTTP/2 connection without its socket. Received bytes become events; actions become bytes to
/// send. Clients and servers use the same class. nghttp2 does the framing, HPACK and the checks of
/// the protocol.
class Session {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    /// Server: a request begins. Returns its stream, never null.
    virtual StreamPtr on_request() = 0;
    /// A SETTINGS frame of the peer has arrived and applies.
    virtual void on_settings() = 0;
    virtual void on_goaway(std::uint32_t error, std::string_view text) = 0;
    virtual void on_ping_ack() = 0;
    /// A stream was closed and does not count any more.
    virtual void on_stream_closed() = 0;
    /// There are bytes to pull.
    virtual void on_output() = 0;
  };

  /// `events` must outlive the session.
  Session(Side side, const SessionOptions& options, Events& events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Processes bytes from the peer. After an error the connection has to end; pull and send what is
  /// left first, as it tells the peer why.
  [[nodiscard]] Result<> receive(std::string_view bytes, SteadyTime now);

  /// The room that `pull` needs to make progress.
  static constexpr std::size_t pull_bytes_min = (16u << 10) + 256;
  /// Fills `out` with frames and returns the number of bytes: 0 if there is nothing to send.
  [[nodiscard]] Result<std::size_t> pull(std::span<char> out);

  /// True if a request was answered or reset before it was complete: the peer may be sending the
  /// rest.
  bool left_input() const noexcept { return left_input_; }

  /// True if neither side has anything more to send.
  bool finished() const noexcept;

  /// Client: opens a stream. False if the stream ids are exhausted.
  bool request(Stream& stream, const HeaderBlock& headers);
  /// Server: sends the header block of a response. `only`: nothing follows, not even trailers.
  void respond(Stream& stream, const HeaderBlock& headers, bool only);
  /// Call it after a change of the stream's out_ or out_ended_.
  void resume(Stream& stream);
  /// Ends the stream with an HTTP/2 error code; on_close follows.
  void reset(Stream& stream, std::uint32_t error);
  /// `count` received bytes were processed: the peer may send as many more.
  void consumed(Stream& stream, std::size_t count);

  void ping();
  /// Server: announces that the connection will end; streams may still arrive.
  void shutdown_notice();
  /// Server: refuses further streams; open streams go on.
  void goaway();
  /// The connection is lost: closes every stream.
  void abandon(std::uint32_t error);

  /// `visit` may respond to the stream or reset it, since neither closes the stream at once.
  template <class Visit>
  void for_each_stream(Visit visit) {
    for (Stream& stream : streams_) visit(stream);
  }

  bool wants_write() const noexcept { return nghttp2_session_want_write(session_) != 0; }
  /// The number of frames that were queued but not pulled, without DATA.
  std::size_t waiting_frames() const noexcept {
    return nghttp2_session_get_outbound_queue_size(session_);
  }

  std::size_t stream_count() const noexcept { return streams_.size(); }
  /// The number of streams that the peer allows this side to have open.
  std::size_t peer_streams_max() const noexcept;
  /// Client: true if a request can still be sent.
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
  Out out_;  ///< the buffer that pull fills
  boost::intrusive::list<Stream> streams_;
  /// Later streams of the peer are refused.
  std::int32_t last_stream_id_ = std::numeric_limits<std::int32_t>::max();
  FrameBudget frames_;
  bool left_input_ = false;
  std::size_t block_bytes_ = 0;  ///< of the header block that is being received
};

}  // namespace concerto::net::http2
