#include "http2/session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <concerto/base/assert.hpp>

namespace concerto::net::http2 {
namespace {

constexpr std::size_t frame_head_bytes = 9;

/// RFC 9113 counts this per field, besides its bytes.
constexpr std::size_t field_overhead_bytes = 32;

/// A header block that is longer than its limit is still read up to this multiple of the limit, so
/// that the call can be answered. There has to be an end: a few bytes of HPACK can stand for
/// millions.
constexpr std::size_t skipped_blocks_max = 4;

#ifdef CONCERTO_NGHTTP2_LIMITS_RESETS
/// Correct clients whose deadlines pass could reach nghttp2's own limit on resets. The budget for
/// frames counts resets too.
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint32_t>::max();
#endif

std::string_view text_of(const std::uint8_t* bytes, std::size_t count) noexcept {
  return {reinterpret_cast<const char*>(bytes), count};
}

Error http2_error(long code) {
  return Error{boost::system::errc::make_error_code(boost::system::errc::protocol_error),
               std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(code))};
}

template <auto Delete>
struct Deleter {
  void operator()(auto* object) const noexcept { Delete(object); }
};

}  // namespace

/// The functions that nghttp2 calls.
struct Session::Callbacks {
  static Session& self(void* user) noexcept { return *static_cast<Session*>(user); }

  static Stream* find(nghttp2_session* session, std::int32_t id) noexcept {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    self(user).block_bytes_ = 0;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Session& session = self(user);
    if (frame->hd.stream_id > session.last_stream_id_) {
      // The GOAWAY that excludes this stream was sent already: the client will use another
      // connection.
      return nghttp2_submit_rst_stream(session.session_, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                       NGHTTP2_REFUSED_STREAM);
    }
    const StreamPtr stream = session.events_.on_request();
    session.attach(*stream, frame->hd.stream_id);
    return nghttp2_session_set_stream_user_data(session.session_, stream->id(), stream.get());
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_bytes, const std::uint8_t* value,
                       std::size_t value_bytes, std::uint8_t, void* user) {
    Stream* stream = find(session, frame->hd.stream_id);
    const bool goes_on =
        self(user).count_field(stream, text_of(name, name_bytes), text_of(value, value_bytes));
    return goes_on ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Events& events = self(user).events_;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: {
        const StreamPtr stream = find(session, frame->hd.stream_id);
        if (!stream) break;
        if (frame->hd.type == NGHTTP2_HEADERS) stream->on_headers_end();
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
          stream->remote_ended_ = true;
          stream->on_end();
        }
        break;
      }
      case NGHTTP2_SETTINGS:
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK)) events.on_settings();
        break;
      case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK) events.on_ping_ack();
        break;
      case NGHTTP2_GOAWAY:
        events.on_goaway(frame->goaway.error_code,
                         text_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default:
        break;
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* bytes, std::size_t count, void* user) {
    // The connection's window is given back at once, and the stream's when its reader has taken the
    // bytes. So a slow reader of one stream does not hold up the others.
    nghttp2_session_consume_connection(session, count);
    if (Stream* stream = find(session, id)) {
      self(user).frames_.earn_data();
      stream->on_data(text_of(bytes, count));
    }
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t error,
                             void* user) {
    if (error == NGHTTP2_NO_ERROR) self(user).frames_.earn_exchange();
    if (Stream* stream = find(session, id)) self(user).detach(*stream, error);
    return 0;
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const std::int32_t id = frame->hd.stream_id;
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (Stream* stream = find(session, id)) stream->headers_sent_ = true;
    // A server that has answered does not need the rest of the request.
    const bool answered = self(user).side_ == Side::server &&
                          (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                          nghttp2_session_get_stream_remote_close(session, id) == 0;
    if (answered) {
      self(user).left_input_ = true;
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static ssize_t read_data(nghttp2_session* session, std::int32_t id, std::uint8_t*,
                           std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                           void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t queued = stream.out_.size();
    if (queued == 0 && !stream.out_ended_) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream.out_ended_ && queued <= length) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      HeaderBlock trailers;
      if (stream.add_trailers(trailers)) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
      }
    }
    return static_cast<ssize_t>(std::min(queued, length));
  }

  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                       std::size_t length, nghttp2_data_source* source, void* user) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    Out& out = self(user).out_;
    if (out.free < frame_head_bytes + length) return NGHTTP2_ERR_WOULDBLOCK;
    self(user).frames_.earn_sent(length, length == stream.out_.size());
    out.append(text_of(head, frame_head_bytes));
    stream.out_.take(out.next, length);
    out.advance(length);
    stream.on_sent();
    return 0;
  }

  static const nghttp2_session_callbacks* table() {
    using Table =
        std::unique_ptr<nghttp2_session_callbacks, Deleter<nghttp2_session_callbacks_del>>;
    static const Table instance = [] {
      nghttp2_session_callbacks* made = nullptr;
      CONCERTO_ASSERT(nghttp2_session_callbacks_new(&made) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(made, on_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
      nghttp2_session_callbacks_set_send_data_callback(made, send_data);
      return Table(made);
    }();
    return instance.get();
  }
};

void Session::Out::append(std::string_view bytes) noexcept {
  std::memcpy(next, bytes.data(), bytes.size());
  advance(bytes.size());
}

void Session::Out::advance(std::size_t count) noexcept {
  next += count;
  free -= count;
}

Session::Session(Side side, const SessionOptions& options, Events& events)
    : events_(events),
      side_(side),
      header_bytes_max_(options.header_bytes_max),
      frames_(side == Side::server ? NGHTTP2_CLIENT_MAGIC_LEN : 0) {
  nghttp2_option* made = nullptr;
  CONCERTO_ASSERT(nghttp2_option_new(&made) == 0);
  const std::unique_ptr<nghttp2_option, Deleter<nghttp2_option_del>> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
#ifdef CONCERTO_NGHTTP2_LIMITS_RESETS
  nghttp2_option_set_stream_reset_rate_limit(made, no_limit, no_limit);
#endif
  const auto create =
      side == Side::client ? nghttp2_session_client_new2 : nghttp2_session_server_new2;
  if (create(&session_, Callbacks::table(), this, made) != 0) throw std::bad_alloc();

  std::array<nghttp2_settings_entry, 3> settings{{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.header_bytes_max},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams_max},
  }};
  if (side == Side::client) settings[2] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  CONCERTO_ASSERT(
      nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  CONCERTO_ASSERT(nghttp2_session_set_local_window_size(
                      session_, NGHTTP2_FLAG_NONE, 0,
                      static_cast<std::int32_t>(options.connection_window_bytes)) == 0);
}

Session::~Session() {
  CONCERTO_ASSERT(streams_.empty());
  nghttp2_session_del(session_);
}

Result<> Session::receive(std::string_view bytes, SteadyTime now) {
  frames_.charge(bytes, now);
  const auto* start = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto taken = nghttp2_session_mem_recv(session_, start, bytes.size());
  if (taken == NGHTTP2_ERR_CALLBACK_FAILURE) return calm_down("header list too large");
  if (taken == NGHTTP2_ERR_FLOODED) return calm_down("frames that want an answer, and no reading");
  if (taken < 0) return http2_error(taken);
  if (frames_.is_spent()) return calm_down("too many frames that get nothing done");
  return ok();
}

bool Session::count_field(Stream* stream, std::string_view name, std::string_view value) {
  const bool fitted = block_bytes_ <= header_bytes_max_;
  block_bytes_ += name.size() + value.size() + field_overhead_bytes;
  if (block_bytes_ > header_bytes_max_ * skipped_blocks_max) return false;
  if (!stream) return true;
  if (block_bytes_ <= header_bytes_max_) {
    stream->on_header(name, value);
  } else if (fitted) {
    frames_.charge_refused_block();
    stream->on_headers_too_large();
  }
  return true;
}

Error Session::calm_down(std::string_view why) {
  nghttp2_submit_goaway(
      session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
      NGHTTP2_ENHANCE_YOUR_CALM, reinterpret_cast<const std::uint8_t*>(why.data()), why.size());
  return Error{boost::system::errc::make_error_code(boost::system::errc::protocol_error),
               "HTTP/2: the peer breaks a limit: " + std::string(why)};
}

Result<std::size_t> Session::pull(std::span<char> out) {
  out_ = {out.data(), out.size()};
  while (out_.free >= pull_bytes_min) {
    const std::uint8_t* bytes = nullptr;
    const auto count = nghttp2_session_mem_send(session_, &bytes);
    if (count < 0) return http2_error(count);
    if (count == 0) break;
    out_.append(text_of(bytes, static_cast<std::size_t>(count)));
  }
  return out.size() - out_.free;
}

bool Session::finished() const noexcept {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

nghttp2_data_provider Session::data_of(Stream& stream) noexcept {
  nghttp2_data_provider data;
  data.source.ptr = &stream;
  data.read_callback = Callbacks::read_data;
  return data;
}

bool Session::request(Stream& stream, const HeaderBlock& headers) {
  const auto data = data_of(stream);
  const std::int32_t id =
      nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &data, &stream);
  if (id == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (id < 0) return false;
  attach(stream, id);
  events_.on_output();
  return true;
}

void Session::respond(Stream& stream, const HeaderBlock& headers, bool only) {
  const auto data = data_of(stream);
  const int result = nghttp2_submit_response(session_, stream.id_, headers.data(), headers.size(),
                                             only ? nullptr : &data);
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  events_.on_output();
}

void Session::resume(Stream& stream) {
  if (!stream.deferred_) return;
  stream.deferred_ = false;
  nghttp2_session_resume_data(session_, stream.id_);
  events_.on_output();
}

void Session::reset(Stream& stream, std::uint32_t error) {
  // A stream that both sides have ended closes by itself. A reset would come too late for it, and
  // peers count resets: after too many they end the connection.
  const bool sent_all = nghttp2_session_get_stream_local_close(session_, stream.id_) == 1;
  if (sent_all && stream.remote_ended_) return;
  left_input_ = left_input_ || !stream.remote_ended_;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, error);
  events_.on_output();
}

void Session::consumed(Stream& stream, std::size_t count) {
  nghttp2_session_consume_stream(session_, stream.id_, count);
  if (wants_write()) events_.on_output();
}

void Session::ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  events_.on_output();
}

void Session::shutdown_notice() {
  nghttp2_submit_shutdown_notice(session_);
  events_.on_output();
}

void Session::goaway() {
  last_stream_id_ = nghttp2_session_get_last_proc_stream_id(session_);
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream_id_, NGHTTP2_NO_ERROR, nullptr, 0);
  events_.on_output();
}

void Session::abandon(std::uint32_t error) {
  while (!streams_.empty()) {
    Stream& stream = streams_.front();
    nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
    detach(stream, error);
  }
}

std::size_t Session::peer_streams_max() const noexcept {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::can_request() const noexcept {
  return nghttp2_session_check_request_allowed(session_) != 0;
}

void Session::attach(Stream& stream, std::int32_t id) {
  intrusive_ptr_add_ref(&stream);
  stream.session_ = this;
  stream.id_ = id;
  stream.deferred_ = stream.headers_sent_ = stream.remote_ended_ = false;
  streams_.push_back(stream);
}

void Session::detach(Stream& stream, std::uint32_t error) {
  const StreamPtr held(&stream, false);
  streams_.erase(streams_.iterator_to(stream));
  stream.session_ = nullptr;
  const bool never_sent = side_ == Side::client && !stream.headers_sent_;
  stream.on_close(error, never_sent || error == NGHTTP2_REFUSED_STREAM);
  events_.on_stream_closed();
}

}  // namespace concerto::net::http2
