#pragma once

#include <list>
#include <optional>
#include <string>

#include <concerto/net/http_server.hpp>

#include "message_parser.hpp"
#include "moving_timer.hpp"
#include "read_buffer.hpp"
#include "socket.hpp"

namespace concerto::net {

/// One connection of an HttpServer, from adoption to its end. Lives in the frame of the coroutine
/// that runs it; the server knows it while it lives.
class HttpConnection {
 public:
  HttpConnection(HttpServer& server, AcceptedSocket accepted);
  ~HttpConnection();
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

 private:
  enum class Input { request, refused, closed };

  /// Reads one request into the parser.
  Task<Input> receive();
  Task<bool> read_more();
  Task<bool> send_continue();
  Task<HttpResponse> answer(HttpRequest request);
  /// Sends the answer; false when the connection is lost.
  Task<bool> send(HttpResponse response, bool keep_alive);
  Task<void> refuse();
  std::string refusal_text() const;
  /// After the last answer: reads on for a bounded time and amount, so that a peer that still
  /// writes comes to read the answer. To close with unread input would reset the connection, and
  /// what was answered would be lost.
  Task<void> linger();

  void limit(std::chrono::milliseconds timeout);
  void close();

  HttpServer& server_;
  asio::ip::tcp::endpoint peer_;
  Socket socket_;
  ReadBuffer buffer_;
  std::optional<RequestParser> parser_;
  bool waits_for_request_ = true;
  bool head_only_ = false;  // the request in work is a HEAD
  bool lingers_ = false;    // the last answer was sent
  MovingTimer timer_;
  std::list<HttpConnection*>::iterator place_;
};

}  // namespace concerto::net
