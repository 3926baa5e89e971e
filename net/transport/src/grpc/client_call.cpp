#include "grpc/client_call.hpp"

#include <limits>
#include <utility>

#include "grpc/channel_connection.hpp"
#include "grpc/channel_core.hpp"
#include "grpc/wire.hpp"

namespace concerto::net::detail {
namespace {

bool is_valid_path(std::string_view path) noexcept {
  if (!path.starts_with('/')) return false;
  for (const char c : path) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

/// So much of a content type is reported.
constexpr std::size_t reported_bytes_max = 100;

/// Rounds a timeout of a second or more to whole milliseconds. Calls with the same timeout then
/// send the same text, whenever they are sent, and HPACK can index it.
std::chrono::nanoseconds rounded_up(std::chrono::nanoseconds timeout) noexcept {
  if (timeout < std::chrono::seconds(1)) return timeout;
  return std::chrono::ceil<std::chrono::milliseconds>(timeout);
}

}  // namespace

ClientCall::ClientCall(std::shared_ptr<ChannelCore> channel, Kind kind, std::string method,
                       GrpcMetadata metadata, SteadyTime deadline)
    : Call(channel->round(), channel->timers(), channel->options().message_bytes_max, nullptr,
           kind == Kind::status ? MessageReader::Keep::nothing : MessageReader::Keep::messages),
      channel_(std::move(channel)),
      kind_(kind),
      method_(std::move(method)),
      sent_metadata_(std::move(metadata)),
      deadline_(deadline) {}

ClientCall::~ClientCall() = default;

void ClientCall::start() {
  channel_->begin(*this);
  if (!is_valid_path(method_)) {
    return finish({GrpcCode::internal, "invalid method path '" + method_ + "'"});
  }
  if (message_.size() > std::numeric_limits<std::uint32_t>::max()) {
    return finish({GrpcCode::resource_exhausted, "message of 4 GiB or more"});
  }
  if (deadline_ != SteadyTime::max()) {
    if (deadline_ <= timers().now()) {
      return finish({GrpcCode::deadline_exceeded, "deadline exceeded before the call"});
    }
    set_deadline(deadline_);
  }
  channel_->dispatch(*this);
}

bool ClientCall::open_on(ChannelConnection& connection) {
  http2::HeaderBlock block;
  block.add_fixed(":method", "POST");
  block.add_fixed(":scheme", channel_->options().tls ? "https" : "http");
  block.add_fixed(":path", method_);
  block.add_fixed(":authority", connection.authority());
  block.add_fixed("te", "trailers");
  block.add_fixed("content-type", "application/grpc");
  block.add_fixed("user-agent", channel_->options().user_agent);
  const bool has_deadline = deadline_ != SteadyTime::max();
  const TimeoutText timeout(has_deadline ? rounded_up(deadline_ - timers().now())
                                         : std::chrono::nanoseconds::zero());
  if (has_deadline) block.add_repeated("grpc-timeout", timeout.view());
  MetadataFields fields;
  std::string why;
  if (!fields.add_to(block, sent_metadata_, why)) {
    finish({GrpcCode::internal, std::move(why)});
    return true;
  }
  if (is_unary()) {
    out_.clear();
    const auto head = message_head(message_.size());
    out_.push_borrowed({head.data(), head.size()}, message_);
    out_ended_ = true;
  }
  if (!connection.session().request(*this, block)) return false;
  connection_ = &connection;
  opened_at_ = timers().now();
  return true;
}

void ClientCall::writes_done() {
  if (std::exchange(out_ended_, true) || !is_open()) return;
  session()->resume(*this);
}

void ClientCall::finish(GrpcStatus status) {
  if (is_over()) return;
  const ClientCallPtr held(this);
  status_ = std::move(status);
  sent_ = sent_ || (is_open() && headers_sent());
  if (is_open()) session()->reset(*this, NGHTTP2_CANCEL);
  set_over();
  channel_->end(*this);
}

Task<bool> ClientCall::wait_end() {
  const ClientCallPtr held(this);
  while (!is_over()) {
    if (!co_await ending_.wait(round_, *this)) co_return false;
  }
  co_return true;
}

GrpcReply ClientCall::take_reply() {
  GrpcReply reply;
  reply.status = std::move(status_);
  reply.metadata = std::move(metadata_);
  reply.trailers = std::move(trailers_);
  reply.sent = sent_;
  if (is_unary() && reply.ok()) reply.message = take_message();
  return reply;
}

void ClientCall::on_round() {
  resume_waiters();
  if (ending_.waits() && (is_over() || ending_.is_cancelled())) ending_.resume();
}

void ClientCall::on_header(std::string_view name, std::string_view value) {
  if (is_over()) return;
  if (name == ":status") {
    http_status_ = value;
  } else if (name == "content-type") {
    content_type_ = value;
  } else if (name == "grpc-status") {
    add_code(parse_code(value));
  } else if (name == "grpc-message") {
    status_.message = decode_status_message(value);
  } else if (name == "grpc-encoding") {
    encoding_ = value;
  } else if (!name.starts_with(':')) {
    GrpcMetadata& metadata = blocks_ == 0 ? metadata_ : trailers_;
    if (!add_received(metadata, name, value)) {
      refusal_ = "invalid base64 in metadata '" + std::string(name) + "'";
    }
  }
}

/// An answer has one status. If it has several that differ, ABORTED counts, because the service has
/// refused; other statuses that differ say nothing certain, and never a success.
void ClientCall::add_code(GrpcCode code) noexcept {
  if (!std::exchange(status_received_, true)) {
    status_.code = code;
  } else if (code != status_.code) {
    codes_differ_ = true;
    const bool is_aborted = code == GrpcCode::aborted || status_.code == GrpcCode::aborted;
    status_.code = is_aborted ? GrpcCode::aborted : GrpcCode::internal;
  }
}

void ClientCall::on_headers_too_large() {
  refusal_ = "received header list larger than max";
}

void ClientCall::on_headers_end() {
  if (is_over()) return;
  if (http_status_.starts_with('1')) return forget_response();
  connection_->note_answer();
  // Errors in the fields are reported only when the status has come: ABORTED counts whatever else
  // is wrong.
  if (++blocks_ == 1 && !is_from_grpc()) finish(status_of_http());
}

/// Some servers leave the content type out. An answer with another content type is a web page or
/// comes from a proxy.
bool ClientCall::is_from_grpc() const noexcept {
  if (!content_type_.empty()) return is_grpc_content_type(content_type_);
  return status_received_ || http_status_ == "200";
}

void ClientCall::on_refused_message(GrpcStatus status) {
  // What looks like a message may be the text of a web page.
  finish(content_type_.empty() ? status_of_http() : std::move(status));
}

void ClientCall::on_compressed_message() {
  if (content_type_.empty()) return finish(status_of_http());
  skip("compressed message ('" + encoding_ + "'); only identity is supported");
}

/// The answer cannot be a success any more, but its status may still say that the call was refused.
void ClientCall::skip(std::string why) {
  refusal_ = std::move(why);
  const std::size_t received = reader_.received_bytes();
  if (!skipped_from_) skipped_from_ = received;
  const bool may_wait =
      is_unary() && received - *skipped_from_ <= channel_->options().message_bytes_max;
  if (!may_wait) finish({GrpcCode::internal, std::move(refusal_)});
}

void ClientCall::on_message() {
  if (kind_ == Kind::stream) return wake();
  if (reader_.message_count() > 1) {
    take_message();
    skip("more than one message in the reply of a unary call");
  }
}

void ClientCall::on_end() {
  if (is_over()) return;
  if (blocks_ == 1) std::swap(metadata_, trailers_);  // The answer has trailers only.
  sent_ = true;
  input_ended_ = true;
  finish(received_status());
}

GrpcStatus ClientCall::received_status() const {
  if (codes_differ_ && status_.code != GrpcCode::aborted) {
    return {GrpcCode::internal, "the answer has several grpc-status that differ"};
  }
  if (status_received_ && !status_.ok()) return status_;
  if (http_status_ != "200") return status_of_http();
  if (!refusal_.empty()) return {GrpcCode::internal, refusal_};
  if (!status_received_) {
    if (content_type_.empty()) return status_of_http();
    return {GrpcCode::internal, "the server closed the stream without a status"};
  }
  if (reader_.inside_message()) return {GrpcCode::internal, "the reply ends inside a message"};
  if (is_unary() && !reader_.has_message()) {
    return {GrpcCode::internal, "no message in the reply of a unary call"};
  }
  return status_;
}

/// The status of an answer that does not come from gRPC.
GrpcStatus ClientCall::status_of_http() const {
  const std::string type = content_type_.substr(0, reported_bytes_max);
  return {code_of_http_status(http_status_),
          "not an answer of gRPC: HTTP status " + http_status_ + ", content-type '" + type + "'"};
}

void ClientCall::on_close(std::uint32_t error, bool unprocessed) {
  const ChannelConnection* connection = std::exchange(connection_, nullptr);
  if (is_over()) return;
  sent_ = !unprocessed;
  if (may_retry(unprocessed)) {
    retried_ = true;
    forget_response();
    forget_messages();
    return channel_->dispatch(*this);
  }
  if (!connection->is_open()) {
    return finish({GrpcCode::unavailable, "connection lost: " + connection->lost_because().detail});
  }
  if (status_received_) return finish(received_status());
  finish({code_of_http2_error(error), "the server reset the stream with HTTP/2 error " +
                                          std::string(nghttp2_http2_strerror(error))});
}

bool ClientCall::may_retry(bool unprocessed) const noexcept {
  // A call of a stream is not repeated after it has sent or delivered something.
  const bool may_repeat = is_unary() || (!data_sent_ && blocks_ == 0);
  return unprocessed && !retried_ && may_repeat;
}

void ClientCall::forget_response() {
  metadata_.clear();
  trailers_.clear();
  status_ = {};
  http_status_.clear();
  content_type_.clear();
  encoding_.clear();
  refusal_.clear();
  skipped_from_.reset();
  blocks_ = 0;
  status_received_ = false;
  codes_differ_ = false;
}

void ClientCall::on_deadline() {
  if (connection_) connection_->doubt(opened_at_);
  finish({GrpcCode::deadline_exceeded,
          is_waiting() ? "deadline exceeded while waiting for a connection" : "deadline exceeded"});
}

Task<GrpcReply> run_unary(ClientCallPtr call) {
  call->start();
  const bool ended = co_await call->wait_end();
  if (!ended) call->cancel();
  co_return call->take_reply();
}

}  // namespace concerto::net::detail
