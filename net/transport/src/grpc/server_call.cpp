#include "grpc/server_call.hpp"

#include <exception>
#include <utility>

#include "grpc/server_core.hpp"

namespace concerto::net::detail {
namespace {

/// The memory of a call without its headers and messages, here and in nghttp2.
constexpr std::size_t call_bytes = 1024;
/// The memory of a header besides its bytes.
constexpr std::size_t field_bytes = 32;

void add_common_headers(http2::HeaderBlock& block) {
  block.add_fixed(":status", "200");
  block.add_fixed("content-type", "application/grpc");
}

}  // namespace

ServerCall::ServerCall(std::shared_ptr<ServerConnection> connection)
    : Call(connection->round(), connection->timers(),
           connection->server().options().message_bytes_max, &connection->buffers()),
      connection_(std::move(connection)),
      waits_since_(connection_->last_read()) {
  connection_->hold();
}

ServerCall::~ServerCall() {
  let_go();
  if (standing_) connection_->forget_standing();
  release();
}

std::string_view ServerCall::method() const noexcept {
  return method_->path;
}

const asio::ip::tcp::endpoint& ServerCall::peer() const noexcept {
  return connection_->peer();
}

const std::shared_ptr<const PeerCertificate>& ServerCall::certificate() const noexcept {
  return connection_->peer_certificate();
}

void ServerCall::on_header(std::string_view name, std::string_view value) {
  if (headers_done_) return;  // Trailers of a request mean nothing in gRPC.
  header_bytes_ += name.size() + value.size() + field_bytes;
  if (name == ":path") {
    method_ = connection_->server().find(value);
    if (!method_) path_ = value;
  } else if (name == ":method") {
    is_post_ = value == "POST";
  } else if (name == "content-type") {
    is_grpc_ = is_grpc_content_type(value);
  } else if (name == "grpc-timeout") {
    const auto timeout = parse_timeout(value);
    if (!timeout) {
      refusal_ = {GrpcCode::internal, "malformed grpc-timeout '" + std::string(value) + "'"};
    } else if (const SteadyTime now = timers().now(); *timeout < SteadyTime::max() - now) {
      deadline_ = now + *timeout;
    }
  } else if (!name.starts_with(':') && name != "te" && name != "grpc-encoding" &&
             name != "grpc-accept-encoding") {
    if (!add_received(metadata_, name, value)) {
      refusal_ = {GrpcCode::internal, "invalid base64 in metadata '" + std::string(name) + "'"};
    }
  }
}

void ServerCall::on_headers_end() {
  if (std::exchange(headers_done_, true)) return;
  if (!is_post_) return send_http_error("405");
  if (!is_grpc_) return send_http_error(headers_too_large_ ? "431" : "415");
  if (headers_too_large_) {
    return fail({GrpcCode::resource_exhausted, "received header list larger than max"});
  }
  if (!refusal_.ok()) return fail(std::move(refusal_));
  ServerCore& server = connection_->server();
  if (!method_) return fail({GrpcCode::unimplemented, server.why_unknown(path_)});
  if (server.is_closing()) return fail({GrpcCode::unavailable, "the server is shutting down"});
  if (method_->kind == StreamKind::standing) {
    standing_ = connection_->admit_standing();
    if (!standing_) return fail({GrpcCode::resource_exhausted, "too many streams of this kind"});
    let_go();
  }
  if (deadline_ != SteadyTime::max()) {
    if (deadline_ <= timers().now()) return on_deadline();
    set_deadline(deadline_);
  }
  set_overhead(call_bytes + header_bytes_);
  if (method_->stream && !is_over()) begin();
}

void ServerCall::on_message_begin() {
  // A unary call waits for its message from its beginning.
  if (method_->stream) waits_since_ = connection_->last_read();
  if (method_->check && !std::exchange(is_checked_, true)) check_head();
}

/// Before a message takes memory, somebody has to know its sender.
void ServerCall::check_head() {
  GrpcRequest request = head();
  refusing_ = method_->check(request);
  metadata_ = std::move(request.metadata);
  if (!refusing_) return;
  ignore_input();
  input_ended_ = true;
  begin();
}

void ServerCall::on_message() {
  had_message_ = true;
  if (method_->stream) return wake();
  if (reader_.message_count() > 1) {
    fail({GrpcCode::internal, "more than one message in the request of a unary call"});
  }
}

void ServerCall::on_compressed_message() {
  fail({GrpcCode::unimplemented, "compressed message; only identity is supported"});
}

void ServerCall::on_end() {
  input_ended_ = true;
  if (is_over() || !method_ || refusing_) return;
  if (reader_.inside_message()) {
    return fail({GrpcCode::internal, "the request ends inside a message"});
  }
  if (method_->stream) return wake();
  if (!reader_.has_message()) {
    return fail({GrpcCode::internal, "no message in the request of a unary call"});
  }
  begin();
}

void ServerCall::let_in() noexcept {
  connection_->buffers().set_stranger(false);
}

bool ServerCall::end_if_unfinished(SteadyTime begun_by) {
  if (!headers_done_) return waits_since_ > begun_by;
  if (is_over() || input_ended_ || waits_since_ > begun_by) return true;
  const bool is_unfinished = !method_->stream || !had_message_ || reader_.inside_message();
  if (is_unfinished) fail({GrpcCode::deadline_exceeded, "the request did not arrive in time"});
  return true;
}

void ServerCall::give_up() {
  const http2::StreamPtr held(this);
  const bool was_over = is_over();
  fail({GrpcCode::resource_exhausted,
        "too many bytes wait to be read: those who hold most make room"});
  forget_input();
  if (was_over && !out_.empty() && is_open()) {
    // The client does not read its answer.
    out_.clear();
    session()->reset(*this, NGHTTP2_ENHANCE_YOUR_CALM);
  }
  account();
}

void ServerCall::on_close(std::uint32_t, bool) {
  if (!is_over()) mark_cancelled();
}

void ServerCall::on_deadline() {
  const http2::StreamPtr held(this);
  fail({GrpcCode::deadline_exceeded, "deadline exceeded"});
}

void ServerCall::begin() {
  starting_ = true;
  wake();
}

void ServerCall::on_round() {
  if (std::exchange(starting_, false) && !is_over()) run_handler();
  if (cancelled_ && on_cancelled_) std::exchange(on_cancelled_, nullptr)();
  resume_waiters();
}

void ServerCall::run_handler() {
  const auto handle = [this] {
    if (refusing_) return run_refusal();
    return method_->unary ? run_unary() : run_stream();
  };
  running_ = connection_->server().handlers().spawn(handle());
  if (!running_) fail({GrpcCode::unavailable, "the server is shutting down"});
}

/// The request without its message. It takes the metadata.
GrpcRequest ServerCall::head() {
  GrpcRequest request;
  request.method = method();
  request.peer = peer();
  request.certificate = certificate();
  request.metadata = std::move(metadata_);
  request.deadline = deadline_;
  request.call = this;
  return request;
}

Task<void> ServerCall::run_refusal() {
  const http2::StreamPtr held(this);
  GrpcReply reply = co_await std::move(*refusing_);
  running_ = false;
  send_reply(std::move(reply));
}

Task<void> ServerCall::run_unary() {
  const http2::StreamPtr held(this);
  GrpcRequest request = head();
  request.message = take_message();
  set_overhead(0);  // From here on the handler's own limits apply.
  GrpcReply reply;
  try {
    reply = co_await method_->unary(std::move(request));
  } catch (const std::exception& error) {
    reply = GrpcReply::failure(GrpcCode::internal, error.what());
  }
  running_ = false;
  on_cancelled_ = nullptr;
  send_reply(std::move(reply));
}

Task<void> ServerCall::run_stream() {
  const http2::StreamPtr held(this);
  GrpcServerStream stream(*this);
  GrpcStatus status;
  try {
    status = co_await method_->stream(stream);
  } catch (const std::exception& error) {
    status = GrpcStatus{GrpcCode::internal, error.what()};
  }
  running_ = false;
  on_cancelled_ = nullptr;
  if (!is_over()) end(std::move(status));
}

void ServerCall::send_reply(GrpcReply reply) {
  if (is_over()) return;
  reply_metadata_ = std::move(reply.metadata);
  trailers_ = std::move(reply.trailers);
  if (reply.ok()) {
    send_headers();
    if (is_over()) return;
    const auto head = message_head(reply.message.size());
    out_.push({head.data(), head.size()}, std::move(reply.message));
    account();
    if (is_over()) return;
  }
  end(std::move(reply.status));
}

void ServerCall::set_on_cancelled(std::function<void()> callback) {
  on_cancelled_ = std::move(callback);
  if (cancelled_) wake();
}

Task<bool> ServerCall::write_reply(std::string message) {
  if (!is_over() && !replying_) send_headers();
  return write(std::move(message));
}

void ServerCall::send_headers() {
  http2::HeaderBlock block;
  add_common_headers(block);
  MetadataFields fields;
  std::string why;
  if (!fields.add_to(block, reply_metadata_, why)) return fail({GrpcCode::internal, why});
  replying_ = true;
  session()->respond(*this, block, false);
}

void ServerCall::fail(GrpcStatus status) {
  if (is_over()) return;
  out_.clear();
  trailers_.clear();
  const bool was_running = running_ || starting_;
  end(std::move(status));
  if (was_running) mark_cancelled();
}

/// Queues the status, which is the last thing that is sent.
void ServerCall::end(GrpcStatus status) {
  status_ = std::move(status);
  out_ended_ = true;
  if (!is_open()) return set_over();
  if (replying_) {
    session()->resume(*this);
  } else {
    http2::HeaderBlock block;
    add_common_headers(block);
    if (status_.code == GrpcCode::unimplemented) {
      block.add_fixed("grpc-accept-encoding", "identity");
    }
    MetadataFields fields;
    std::string why;
    if (!reply_metadata_.empty() && !fields.add_to(block, reply_metadata_, why)) {
      status_ = {GrpcCode::internal, std::move(why)};
    }
    add_status(block);
    session()->respond(*this, block, true);
  }
  set_over();
}

bool ServerCall::add_trailers(http2::HeaderBlock& block) {
  add_status(block);
  return true;
}

void ServerCall::add_status(http2::HeaderBlock& block) {
  std::string why;
  http2::HeaderBlock checked = block;
  if (!fields_.add_to(checked, trailers_, why)) {
    status_ = {GrpcCode::internal, std::move(why)};
  } else {
    block = std::move(checked);
  }
  block.add_fixed("grpc-status", code_digits(status_.code));
  if (status_.message.empty()) return;
  status_text_ = encode_status_message(status_.message);
  block.add_varying("grpc-message", status_text_);
}

void ServerCall::send_http_error(std::string_view status) {
  http2::HeaderBlock block;
  block.add_repeated(":status", status);
  if (status == "405") block.add_fixed("allow", "POST");
  session()->respond(*this, block, true);
  set_over();
}

void ServerCall::mark_cancelled() {
  cancelled_ = true;
  set_over();
}

/// What is left is up to the client: it could leave the answer unread for ever.
void ServerCall::set_over() {
  Call::set_over();
  let_go();
}

void ServerCall::let_go() {
  if (std::exchange(holds_, false)) connection_->let_go();
}

}  // namespace concerto::net::detail
