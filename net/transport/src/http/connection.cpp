#include "connection.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "response_writer.hpp"
#include "tls_session.hpp"

namespace concerto::net {
namespace {

using std::chrono::milliseconds;

/// When a new connection finds no room, a header that takes longer than this is slow, and a
/// connection without a request for longer is idle. Before that, one that was served is kept rather
/// than one that was not.
constexpr milliseconds patience{1'000};

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr std::string_view too_many_connections = "too many connections";

// Once so many bytes of a body have come, the whole space that Content-Length announces is
// reserved. The client has then sent enough to be trusted, and growing by doubling would copy the
// body and free as much memory again.
constexpr std::size_t reserve_from_bytes = 64 << 10;

}  // namespace

HttpConnection::HttpConnection(HttpServer& server, AcceptedSocket accepted)
    : Holder(*server.buffers_),
      server_(server),
      peer_(accepted.peer()),
      client_place_(std::move(accepted.place())),
      stream_(Socket(server.executor_)),
      timer_(server.timers_, [this] {
        server_.probe_.timed_out_count.fetch_add(1, std::memory_order_relaxed);
        close();
      }) {
  error_code error;
  stream_.socket().assign(peer_.protocol(), accepted.descriptor(), error);
  if (!error) {
    accepted.release();
    stream_.set_no_delay();
  }
  place_ = server_.connections_.insert(server_.connections_.end(), this);
}

HttpConnection::~HttpConnection() {
  server_.connections_.erase(place_);
}

SteadyTime HttpConnection::limit(milliseconds timeout) {
  const SteadyTime now = server_.timers_.now();
  timer_.expire_at(now + timeout);
  return now;
}

void HttpConnection::close() {
  stream_.close();
}

bool HttpConnection::close_if_idle() {
  if (!waits_for_request_ || !stream_.socket().is_open()) return false;
  close();
  return true;
}

HttpConnection::Loss HttpConnection::loss_if_closed() {
  if (!stream_.socket().is_open()) return Loss::request;  // It gives its place back already.
  const SteadyTime now = server_.timers_.now();
  if (head_since_ != SteadyTime::max()) {
    if (now - head_since_ > patience) return Loss::slow_header;
    return idle_since_ == SteadyTime::max() ? Loss::not_served : Loss::request;
  }
  if (in_body_ && is_stranger() && now - body_since_ > patience) return Loss::slow_header;
  if (!waits_for_request_) return Loss::request;
  if (idle_since_ == SteadyTime::max()) return Loss::not_served;
  return now - idle_since_ > patience ? Loss::long_idle : Loss::idle;
}

void HttpConnection::end_when_idle() {
  if (!close_if_idle() && lingers_) limit(Linger::quiet_max_when_draining);
}

void HttpConnection::hold_nothing() {
  if (held_bytes() == 0) return;
  change_input(input_bytes(), 0);
  change_answer(held_bytes(), 0);
}

bool HttpConnection::hold_input() {
  if (waits_for_request_) return true;  // The small buffer of an idle connection is not counted.
  const std::size_t header_bytes = in_body_ ? header_bytes_ : input_bytes_read_;
  change_input(input_bytes(),
               buffer_.capacity() + header_bytes + parser_->request().body.capacity());
  return !made_room_;
}

void HttpConnection::reserve_body() {
  std::string& body = parser_->request().body;
  if (body.size() < reserve_from_bytes || body.capacity() > 2 * body.size()) return;
  const auto field = parser_->request().headers.find("Content-Length");
  if (!field) return;
  std::size_t length = 0;  // The parser has checked it.
  std::from_chars(field->data(), field->data() + field->size(), length);
  if (length > body.capacity()) body.reserve(std::min(length, server_.options_.body_bytes_max));
}

void HttpConnection::shed(Excess /*excess*/) {
  if (sends_) {
    hold_nothing();
    return close();
  }
  made_room_ = true;
  HttpRequest gone;  // An assignment would keep the body's space.
  std::swap(gone, parser_->request());
  hold_nothing();
  error_code ignored;
  stream_.socket().cancel(ignored);
}

Task<bool> HttpConnection::open() {
  const auto context = server_.options_.tls;  // It may be replaced during the handshake.
  stream_.start_tls(std::make_unique<TlsSession>(*context->native_handle(), Alpn::http_1_1));
  const SteadyTime deadline = server_.timers_.now() + server_.options_.handshake_timeout;
  timer_.expire_at(deadline);
  const error_code failed = co_await stream_.handshake();
  if (failed) server_.handshake_failed(peer_, why_not_open(failed, deadline));
  co_return !failed;
}

Error HttpConnection::why_not_open(const error_code& failed, SteadyTime deadline) const {
  if (failed == asio::error::operation_aborted) {
    const bool is_late = server_.timers_.now() >= deadline;
    return Error{failed, is_late ? "not complete in time" : "ended by this side"};
  }
  if (failed == asio::error::eof) return Error{failed, "closed by the peer"};
  return stream_.explain(failed, "handshake");
}

Task<void> HttpConnection::run() {
  if (server_.options_.tls) {
    const bool is_open = co_await open();
    if (!is_open) co_return;
  }
  limit(server_.options_.header_timeout);
  for (;;) {
    const Input input = co_await receive();
    if (input == Input::refused) co_await refuse();
    if (input != Input::request) co_return;

    server_.probe_.request_count.fetch_add(1, std::memory_order_relaxed);
    timer_.disarm();
    HttpRequest& request = parser_->request();
    request.peer = peer_;
    request.certificate = stream_.peer_certificate();
    head_only_ = request.method == "HEAD";
    HttpResponse response = co_await answer(std::move(request));
    const bool keep_alive = parser_->keep_alive() && !response.close &&
                            !server_.draining_.load(std::memory_order_relaxed);
    if (!co_await send(std::move(response), keep_alive)) co_return;
    if (!keep_alive) co_return co_await linger();
    idle_since_ = limit(server_.options_.idle_timeout);
    server_.connections_.splice(server_.connections_.end(), server_.connections_, place_);
  }
}

Task<void> HttpConnection::turn_away() {
  waits_for_request_ = false;
  if (server_.options_.tls) {
    const bool is_open = co_await open();
    if (!is_open) co_return;
  }
  parser_.emplace(server_.options_.header_bytes_max, server_.options_.body_bytes_max);
  HttpResponse response = error_response(503, too_many_connections);
  response.headers.add("Retry-After", "1");
  if (co_await send(std::move(response), false)) co_await linger();
}

Task<HttpConnection::Input> HttpConnection::receive() {
  const HttpServerOptions& options = server_.options_;
  parser_.emplace(options.header_bytes_max, options.body_bytes_max);
  buffer_.relax();
  waits_for_request_ = buffer_.empty();
  set_stranger(true);
  input_bytes_read_ = buffer_.data().size();
  in_body_ = false;
  for (;;) {
    if (!buffer_.empty()) {
      const bool first_bytes = !parser_->has_started();
      std::size_t used = 0;
      const ParseState state = parser_->feed(buffer_.data(), used);
      buffer_.consume(used);
      if (state != ParseState::more) head_since_ = SteadyTime::max();
      if (state == ParseState::complete) {
        hold_nothing();
        in_body_ = false;
        set_stranger(false);  // The handler decides what it answers to whom.
        co_return Input::request;
      }
      if (state == ParseState::failed) co_return Input::refused;
      if (in_body_) {
        reserve_body();
      } else if (parser_->is_header_done()) {
        in_body_ = true;
        head_since_ = SteadyTime::max();
        body_since_ = server_.timers_.now();
        header_bytes_ =
            input_bytes_read_ -
            std::min(input_bytes_read_, buffer_.data().size() + parser_->request().body.size());
        limit(options.body_timeout);
        const BodyWish wish = co_await ask_for_body();
        if (wish != BodyWish::wanted) {
          co_return wish == BodyWish::refused ? Input::refused : Input::closed;
        }
      } else if (first_bytes) {
        head_since_ = server_.timers_.now();
        limit(options.header_timeout);
      }
    }
    if (!hold_input()) co_return Input::refused;
    const bool has_read = co_await read_more();
    // The bytes that were read belong to a request that was dropped to make room.
    if (made_room_) co_return Input::refused;
    if (!has_read) co_return Input::closed;
    waits_for_request_ = false;
  }
}

Task<bool> HttpConnection::read_more() {
  const auto [error, bytes] = co_await stream_.read(buffer_.prepare());
  if (error) co_return false;
  buffer_.commit(bytes);
  input_bytes_read_ += bytes;
  co_return true;
}

Task<HttpConnection::BodyWish> HttpConnection::ask_for_body() {
  HeadVerdict verdict{true, {}};
  if (server_.check_head_) verdict = co_await server_.check_head_(parser_->request());
  if (made_room_) co_return BodyWish::refused;
  if (verdict.refusal) {
    refusal_ = std::make_unique<HttpResponse>(std::move(*verdict.refusal));
    co_return BodyWish::refused;
  }
  set_stranger(!verdict.is_known);
  if (!parser_->expects_continue()) co_return BodyWish::wanted;
  const bool is_sent = co_await send_continue();
  if (made_room_) co_return BodyWish::refused;
  co_return is_sent ? BodyWish::wanted : BodyWish::closed;
}

Task<bool> HttpConnection::send_continue() {
  if (!buffer_.empty()) co_return true;  // The client already sends the body.
  const Outgoing outgoing{continue_line, {}};
  co_return !co_await stream_.write_all(outgoing);
}

Task<HttpResponse> HttpConnection::answer(HttpRequest request) {
  try {
    co_return co_await server_.handler_(std::move(request));
  } catch (const std::exception& error) {
    co_return error_response(500, error.what());
  }
}

Task<bool> HttpConnection::send(HttpResponse response, bool keep_alive) {
  if (!has_legal_headers(response)) {
    response = error_response(500, "the answer has an illegal header field");
  }
  ResponseFrame frame{server_.date(), keep_alive, parser_->is_http_1_0()};
  std::string& head = server_.head_;
  write_response_head(head, response, frame);
  const bool with_body = status_has_body(response.status) && !head_only_;
  Outgoing outgoing{head, with_body ? std::string_view{response.body} : std::string_view{}};
  error_code error = stream_.write_now(outgoing);
  if (error == asio::error::would_block) {
    limit(server_.options_.write_timeout);
    const std::string rest{outgoing.head};  // Other connections use the server's buffer meanwhile.
    outgoing.head = rest;
    sends_ = true;
    change_answer(0, rest.capacity() + response.body.capacity());
    error = co_await stream_.write_all(outgoing);
    sends_ = false;
    hold_nothing();
  }
  co_return !error;
}

Task<void> HttpConnection::refuse() {
  head_only_ = parser_->request().method == "HEAD";
  HttpResponse response = refusal_ ? std::move(*refusal_) : own_refusal();
  std::string().swap(parser_->request().body);  // The body is not used.
  hold_nothing();
  if (co_await send(std::move(response), false)) co_await linger();
}

HttpResponse HttpConnection::own_refusal() {
  server_.probe_.malformed_count.fetch_add(1, std::memory_order_relaxed);
  HttpResponse response =
      error_response(made_room_ ? 503 : parser_->refusal_status(), refusal_text());
  if (made_room_) response.headers.add("Retry-After", "1");
  if (response.status == 415) response.headers.add("Accept-Encoding", "identity");
  return response;
}

std::string HttpConnection::refusal_text() const {
  const HttpServerOptions& options = server_.options_;
  if (made_room_) return "too many bytes are being received, try again later";
  switch (parser_->refusal_status()) {
    case 413:
      return "request body is larger than " + std::to_string(options.body_bytes_max) + " bytes";
    case 431:
      if (parser_->error() == MessageErrc::too_many_fields) return parser_->error().message();
      return "request header is larger than " + std::to_string(options.header_bytes_max) + " bytes";
    case 415:
    case 501:
      return parser_->error().message();
    default:
      return "malformed HTTP request: " + parser_->error().message();
  }
}

Task<void> HttpConnection::linger() {
  lingers_ = true;
  Linger linger{server_.timers_.now(),
                std::min<milliseconds>(Linger::time_max, server_.options_.body_timeout)};
  // Some clients close as soon as the server ends its direction. So the direction stays open while
  // the body still comes in.
  const std::uint64_t in_body = parser_->expects_continue() ? 0 : parser_->body_bytes_left();
  linger.count(buffer_.data().size());
  buffer_ = {};
  hold_nothing();
  for (bool says_no_more = false;;) {
    if (linger.dropped() >= in_body && !std::exchange(says_no_more, true)) {
      stream_.end_writing();
      if (parser_->is_done() && !stream_.has_unread()) co_return;
    }
    const bool drains = server_.draining_.load(std::memory_order_relaxed);
    timer_.expire_at(linger.limit(server_.timers_.now(), drains));
    const auto [error] = co_await stream_.socket().async_wait(Socket::wait_read, tuple_task);
    if (error || !linger.drop(stream_)) co_return;
  }
}

}  // namespace concerto::net
