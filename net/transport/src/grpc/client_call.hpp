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

/// A call on its way through a channel: waiting for a connection, open, or finished.
class ClientCall final : public Call, public WaitingHook {
 public:
  enum class Kind : std::uint8_t {
    unary,
    status,  ///< a unary one whose message nobody wants
    stream,
  };

  ClientCall(std::shared_ptr<ChannelCore> channel, Kind kind, std::string method,
             GrpcMetadata metadata, SteadyTime deadline);
  ~ClientCall() override;

  /// Of a call with one message, before `start`.
  void set_message(std::string message) { message_ = std::move(message); }
  void start();
  /// Sends the call; false if the connection takes no more streams.
  bool open_on(ChannelConnection& connection);

  void writes_done();
  /// Ends the call here, if it has not ended. `error`: what the peer is told.
  void finish(GrpcStatus status);
  void cancel() { finish({GrpcCode::cancelled, "cancelled by the caller"}); }

  /// Messages are not wanted any more.
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
  SteadyTime opened_at_{};  ///< on its connection
  std::string message_;
  bool retried_ = false;
  bool sent_ = false;

  GrpcMetadata metadata_;
  GrpcMetadata trailers_;
  GrpcStatus status_;
  std::string http_status_;
  std::string content_type_;
  std::string encoding_;
  std::optional<std::size_t> skipped_from_;  ///< of the received bytes: nothing is wanted there
  int blocks_ = 0;                           ///< header blocks received
  bool status_received_ = false;
  bool codes_differ_ = false;  ///< of several `grpc-status`
  std::string refusal_;        ///< what keeps an answer from being a success
  Waiter ending_;
};

using ClientCallPtr = boost::intrusive_ptr<ClientCall>;

/// Starts a unary call and returns its reply. Holds no more than the call: this is where most
/// coroutines of a busy server wait.
Task<GrpcReply> run_unary(ClientCallPtr call);

}  // namespace concerto::net::detail
