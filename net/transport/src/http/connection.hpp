#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <concerto/transport/http_server.hpp>

#include "byte_stream.hpp"
#include "message_parser.hpp"
#include "moving_timer.hpp"
#include "read_buffer.hpp"

namespace concerto::net {

/// One connection of an HttpServer, from adoption to its end. It lives in the frame of the
/// coroutine that runs it, and is in the server's list as long as it lives.
class HttpConnection final : private BufferBudget::Holder {
 public:
  HttpConnection(HttpServer& server, AcceptedSocket accepted);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Serves requests until either side ends the connection.
  Task<void> run();

  /// Answers 503 without reading a request.
  Task<void> turn_away();

  /// Called when the server drains: an idle connection ends now, a busy one after its answer.
  void end_when_idle();
  /// Ends the connection if it is idle. True if it was.
  bool close_if_idle();

  /// What the client loses if the connection is closed to make room for another one, the least
  /// first.
  enum class Loss : std::uint8_t {
    slow_header,  ///< a place that it keeps with a few bytes, or with a body of a stranger
    long_idle,
    not_served,  ///< its first request, which has not come or not come completely
    idle,
    request,  ///< one that is being read or served: the connection is not closed
  };
  Loss loss_if_closed();
  void close();

 private:
  enum class Input { request, refused, closed };
  enum class BodyWish { wanted, refused, closed };

  /// Performs the TLS handshake; false if the connection is lost.
  Task<bool> open();
  /// What an error of the handshake means, for an operator. The handshake had until `deadline`.
  Error why_not_open(const error_code& failed, SteadyTime deadline) const;

  /// Reads one request into the parser.
  Task<Input> receive();
  Task<bool> read_more();
  /// Called when a header is complete, and its body is not.
  Task<BodyWish> ask_for_body();
  Task<bool> send_continue();
  Task<HttpResponse> answer(HttpRequest request);
  /// Sends the answer; false if the connection is lost.
  Task<bool> send(HttpResponse response, bool keep_alive);
  Task<void> refuse();
  HttpResponse own_refusal();
  std::string refusal_text() const;
  /// After the last answer: drops what the peer still sends, so that the peer can read the answer.
  Task<void> linger();

  /// Tells the budget how much memory the unfinished request takes. False if the request was
  /// dropped to make room.
  bool hold_input();
  void reserve_body();
  void hold_nothing();
  void shed(Excess excess) override;
  SteadyTime limit(std::chrono::milliseconds timeout);

  HttpServer& server_;
  asio::ip::tcp::endpoint peer_;
  ClientPlace client_place_;
  ByteStream stream_;
  ReadBuffer buffer_;
  std::optional<RequestParser> parser_;
  std::unique_ptr<HttpResponse> refusal_;      // of a request whose body is not wanted
  std::size_t input_bytes_read_ = 0;           // of the current request
  std::size_t header_bytes_ = 0;               // its header's part of them, once the body has begun
  SteadyTime head_since_ = SteadyTime::max();  // when the current header began to come in
  SteadyTime body_since_ = SteadyTime::min();  // when the current body began to come in
  SteadyTime idle_since_ = SteadyTime::max();  // when the last answer was sent; max: there is none
  bool in_body_ = false;
  bool waits_for_request_ = true;
  bool head_only_ = false;  // the current request is a HEAD
  bool lingers_ = false;    // the last answer was sent, and the peer's rest is dropped
  bool sends_ = false;      // an answer waits for the socket
  bool made_room_ = false;  // the request was dropped to make room
  MovingTimer timer_;
  std::list<HttpConnection*>::iterator place_;
};

}  // namespace concerto::net
