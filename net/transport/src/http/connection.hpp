#pragma once

#include <list>
#include <optional>
#include <string>

#include <concerto/transport/http_server.hpp>

#include "byte_stream.hpp"
#include "message_parser.hpp"
#include "moving_timer.hpp"
#include "read_buffer.hpp"

namespace concerto::net {

/// One connection of an HttpServer, from adoption to its end. Lives in the frame of the coroutine
/// that runs it; the server knows it while it lives.
class HttpConnection final : private BufferBudget::Holder {
 public:
  HttpConnection(HttpServer& server, AcceptedSocket accepted);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Serves requests until either side ends the connection.
  Task<void> run();

  /// Answers 503 and serves nothing.
  Task<void> turn_away();

  /// The server drains: an idle connection ends now, another one after its answer.
  void end_when_idle();
  /// Ends the connection if it is idle, and says whether it was.
  bool close_if_idle();
  /// Ends the connection if a header comes in slowly, and says whether it did.
  bool close_if_slow();

 private:
  enum class Input { request, refused, closed };

  /// Shakes hands; false when the connection is lost.
  Task<bool> open();

  /// Reads one request into the parser.
  Task<Input> receive();
  Task<bool> read_more();
  Task<bool> send_continue();
  Task<HttpResponse> answer(HttpRequest request);
  /// Sends the answer; false when the connection is lost.
  Task<bool> send(HttpResponse response, bool keep_alive);
  Task<void> refuse();
  std::string refusal_text() const;
  /// After the last answer: lets a peer that still writes come to read the answer.
  Task<void> linger();

  /// Tells the budget what an unfinished request takes. False when it had to make room.
  bool hold_input();
  void reserve_body();
  void hold_nothing();
  void shed(Excess excess) override;
  void limit(std::chrono::milliseconds timeout);
  void close();

  HttpServer& server_;
  asio::ip::tcp::endpoint peer_;
  ByteStream stream_;
  ReadBuffer buffer_;
  std::optional<RequestParser> parser_;
  std::size_t input_bytes_read_ = 0;           // of the request so far
  std::size_t header_bytes_ = 0;               // of these, once the body has begun
  SteadyTime head_since_ = SteadyTime::max();  // when the header that comes in began
  bool in_body_ = false;
  bool waits_for_request_ = true;
  bool head_only_ = false;  // the request in work is a HEAD
  bool lingers_ = false;    // the last answer was sent
  bool sends_ = false;      // an answer that the socket does not take
  bool made_room_ = false;  // the request gave its memory to others
  MovingTimer timer_;
  std::list<HttpConnection*>::iterator place_;
};

}  // namespace concerto::net
