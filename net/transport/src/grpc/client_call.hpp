#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/intrusive/list_hook.hpp>

#include "grpc/call.hpp"

namespace concerto::net::detail {

class ChannelCore;
class ChannelConnection;

struct WaitingTag;
using WaitingHook = boost::intrusive::list_base_hook<boost::intrusive::tag<WaitingTag>>;

/// A call of a channel: it waits for a connection, is open, or is over.
class ClientCall final : public Call, public WaitingHook {
 public:
  enum class Kind : std::uint8_t {
    unary,
    status,  ///< unary, and the reply's message is not kept
    stream,
  };

  ClientCall(std::shared_ptr<ChannelCore> channel, Kind kind, std::string method,
             GrpcMetadata metadata, SteadyTime deadline);
  ~ClientCall() override;

  /// Sets the message of a unary call. Call it before `start`.
  void set_message(std::string message) { message_ = std::move(message); }
  void start();
  /// Opens the call's stream; false if the connection cannot open any more streams.
  bool open_on(ChannelConnection& connection);

  void writes_done();
  /// Ends the call with this status, if it has not ended. A stream that is open is reset.
  void finish(GrpcStatus status);
  void cancel() { finish({GrpcCode::cancelled, "cancelled by the caller"}); }

  /// Drops all messages, also those that arrive later.
  void drop_input() { drop_messages(); }
  /// Returns when the call is over; false if the wait was cancelled.
  Task<bool> wait_end();
  GrpcReply take_reply();

  bool is_waiting() const noexcept { return WaitingHook::is_linked(); }

  void on_round() override;

 private:
  void on_header(std::string_view name, std::string_view value) override;
  void on_headers_too_large() override;
  void on_headers_end() override;
  void on_end() override;
  void on_close(std::uint32_t error, bool unprocessed) override;
  bool add_trailers(http2::HeaderBlock&) override { return false; }
  void on_message() override;
  void on_refused_message(GrpcStatus status) override;
  void on_compressed_message() override;
  void on_deadline() override;

  void add_code(GrpcCode code) noexcept;
  bool may_retry(bool unprocessed) const noexcept;
  void forget_response();
  bool is_from_grpc() const noexcept;
  void skip(std::string why);
  bool is_unary() const noexcept { return kind_ != Kind::stream; }
  GrpcStatus received_status() const;
  GrpcStatus status_of_http() const;

  const std::shared_ptr<ChannelCore> channel_;
  ChannelConnection* connection_ = nullptr;  ///< while the stream is open
  const Kind kind_;
  const std::string method_;
  const GrpcMetadata sent_metadata_;
  const SteadyTime deadline_;
  SteadyTime opened_at_{};  ///< when it was opened on its connection
  std::string message_;
  bool retried_ = false;
  bool sent_ = false;

  GrpcMetadata metadata_;
  GrpcMetadata trailers_;
  GrpcStatus status_;
  std::string http_status_;
  std::string content_type_;
  std::string encoding_;
  /// Number of received bytes after which everything is dropped.
  std::optional<std::size_t> skipped_from_;
  int blocks_ = 0;  ///< header blocks received
  bool status_received_ = false;
  bool codes_differ_ = false;  ///< the answer has several `grpc-status`
  std::string refusal_;        ///< why the answer cannot be a success
  Waiter ending_;
};

using ClientCallPtr = boost::intrusive_ptr<ClientCall>;

/// Starts a unary call and returns its reply. The coroutine's frame holds only the call, because
/// most coroutines of a busy server wait here.
Task<GrpcReply> run_unary(ClientCallPtr call);

}  // namespace concerto::net::detail
