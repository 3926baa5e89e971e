#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <concerto/transport/grpc_server.hpp>

#include "grpc/call.hpp"
#include "grpc/wire.hpp"

namespace concerto::net::detail {

class ServerConnection;
struct ServerMethod;

/// One inbound call: request headers, messages, handler, reply.
class ServerCall final : public Call {
 public:
  explicit ServerCall(std::shared_ptr<ServerConnection> connection);
  ~ServerCall() override;

  /// True if the client has gone, the deadline has passed or the server has closed the call.
  bool is_cancelled() const noexcept { return cancelled_; }
  /// Ends the call with this status, if it has not ended. A running handler goes on.
  void fail(GrpcStatus status);
  /// The memory that the connection counts for this call.
  std::size_t held_bytes() const noexcept { return accounted_input() + accounted_answer(); }
  std::size_t input_bytes() const noexcept { return accounted_input(); }
  /// Fails the call to free its memory.
  void give_up();
  /// Fails the call if its request is incomplete and began to arrive by `begun_by`. False if the
  /// call cannot be failed because its headers are incomplete.
  bool end_if_unfinished(SteadyTime begun_by);

  // For GrpcServerStream.
  std::string_view method() const noexcept;
  const boost::asio::ip::tcp::endpoint& peer() const noexcept;
  const std::shared_ptr<const PeerCertificate>& certificate() const noexcept;
  const GrpcMetadata& metadata() const noexcept { return metadata_; }
  SteadyTime deadline() const noexcept { return deadline_; }
  GrpcMetadata& reply_metadata() noexcept { return reply_metadata_; }
  GrpcMetadata& trailers() noexcept { return trailers_; }
  void let_in() noexcept;
  void set_on_cancelled(std::function<void()> callback);
  Task<bool> write_reply(std::string message);

  void on_round() override;

 private:
  void on_header(std::string_view name, std::string_view value) override;
  void on_headers_too_large() override { headers_too_large_ = !headers_done_; }
  void on_headers_end() override;
  void on_end() override;
  void on_close(std::uint32_t error, bool unprocessed) override;
  bool add_trailers(http2::HeaderBlock& block) override;
  void on_message() override;
  void on_message_begin() override;
  void on_refused_message(GrpcStatus status) override { fail(std::move(status)); }
  void on_compressed_message() override;
  void on_deadline() override;

  void begin();
  void check_head();
  GrpcRequest head();
  void run_handler();
  Task<void> run_refusal();
  Task<void> run_unary();
  Task<void> run_stream();
  void send_reply(GrpcReply reply);
  void send_headers();
  void end(GrpcStatus status);
  void send_http_error(std::string_view status);
  void add_status(http2::HeaderBlock& block);
  void mark_cancelled();
  void set_over();
  void let_go();

  const std::shared_ptr<ServerConnection> connection_;
  const ServerMethod* method_ = nullptr;
  std::string path_;
  GrpcMetadata metadata_;
  SteadyTime deadline_ = SteadyTime::max();
  bool is_post_ = false;
  bool is_grpc_ = false;
  GrpcStatus refusal_;                       ///< what is wrong with the headers
  std::optional<Task<GrpcReply>> refusing_;  ///< answers instead of the handler
  bool headers_too_large_ = false;
  std::size_t header_bytes_ = 0;
  SteadyTime waits_since_;  ///< waits for the rest of headers, request or message since then
  bool had_message_ = false;
  bool is_checked_ = false;
  bool headers_done_ = false;
  bool starting_ = false;  ///< the next round starts the handler
  bool running_ = false;   ///< the handler runs
  bool holds_ = true;      ///< keeps the connection from making room for another one
  bool standing_ = false;  ///< is counted as a standing stream
  bool replying_ = false;  ///< the response headers are queued
  bool cancelled_ = false;
  std::function<void()> on_cancelled_;

  GrpcStatus status_;
  GrpcMetadata reply_metadata_;
  GrpcMetadata trailers_;
  std::string status_text_;  ///< percent-encoded, while it is queued
  MetadataFields fields_;
};

}  // namespace concerto::net::detail
