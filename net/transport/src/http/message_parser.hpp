#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/transport/http_message.hpp>

#include "message_error.hpp"
#include "message_framing.hpp"
#include "message_lines.hpp"

namespace concerto::net {

/// What a message parser has come to after some input.
enum class ParseState {
  more,      ///< needs more input
  complete,  ///< the message is there; the rest of the input belongs to the next one
  failed,    ///< see error(); the connection is of no further use
};

/// Reads one message of HTTP/1.1 (RFC 9112) from input in pieces of any size: lines up to the
/// empty one, then a body by its length, in chunks, or up to the connection's end.
///
/// A request is read strictly, an answer leniently; MessageKind says why. A line may end with LF
/// alone, except those of a request's chunks. Fields of a trailer are checked and left out.
class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Takes input and tells through `used` how much of it; hold the rest back for the next call.
  /// What is held back is less than the limit on header bytes. Not after complete or failed.
  ParseState feed(std::string_view input, std::size_t& used);
  /// The connection has ended.
  ParseState feed_end();

  const error_code& error() const noexcept { return error_; }
  bool got_some() const noexcept { return got_some_; }
  bool is_header_done() const noexcept { return stage_ > Stage::fields; }
  bool is_done() const noexcept { return stage_ == Stage::complete; }
  /// Whether the connection may serve another message. Only after the header.
  bool keep_alive() const noexcept { return framing_.keep_alive; }
  /// Bytes of a body of known length that were not taken.
  std::uint64_t body_bytes_left() const noexcept { return stage_ == Stage::body ? left_ : 0; }

 protected:
  MessageParser(MessageKind kind, std::size_t header_bytes_max) noexcept
      : kind_(kind), header_bytes_left_(header_bytes_max) {}
  ~MessageParser() = default;

  /// What follows the header.
  enum class Body { framed, none, until_end };

  virtual error_code take_start_line(std::string_view line) = 0;
  /// The fields are complete. Tells through `body` how the body is framed; `framed` means by the
  /// fields, and without them that there is none.
  virtual error_code take_header(Body& body) = 0;
  /// Appends body bytes; an error ends the message.
  virtual error_code take_body(std::string_view bytes) = 0;

  const MessageFraming& framing() const noexcept { return framing_; }

  HttpHeaders headers_;
  int version_ = 11;

 private:
  // In the order in which a message goes through them.
  enum class Stage {
    start_line,
    fields,
    body,        // left_ bytes of known length
    until_end,   // the body ends with the connection
    chunk_line,  // the size of a chunk
    chunk,       // left_ bytes of one
    chunk_end,   // the line end behind it
    trailer,
    complete,
  };

  /// Takes one line or piece of body. False when that needs more input, or failed.
  bool step(std::string_view& input);
  bool take_line(std::string_view& input, std::string_view& line);
  bool line_may_be_longer(std::string_view begun);
  std::size_t line_bytes_max() const noexcept;
  error_code on_line(std::string_view line);
  error_code on_start_line(std::string_view line);
  error_code on_field(std::string_view line);
  error_code on_fold(std::string_view line);
  error_code on_header_end();
  error_code on_chunk_line(std::string_view line);
  error_code on_body_piece(std::string_view& input);
  void begin_body(Body body) noexcept;

  MessageKind kind_;
  Stage stage_ = Stage::start_line;
  bool got_some_ = false;
  bool saw_field_ = false;
  bool folds_ = false;  // a next line that begins with a blank belongs to the last field
  std::size_t header_bytes_left_;
  std::size_t scanned_ = 0;  // bytes of the line in work that have no line end
  std::uint64_t left_ = 0;
  MessageFraming framing_;
  error_code error_;
};

/// Parses one request straight into an HttpRequest.
class RequestParser final : public MessageParser {
 public:
  RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max);

  /// The client waits for `100 Continue`, or a refusal, before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }
  bool is_http_1_0() const noexcept { return version_ == 10; }
  bool has_started() const noexcept { return got_some(); }

  /// The status that a failed request is answered with.
  unsigned refusal_status() const noexcept;

  /// The request. Its headers are there once it is complete.
  HttpRequest& request() noexcept { return request_; }

 private:
  error_code take_start_line(std::string_view line) override;
  error_code take_target(std::string_view target);
  error_code take_header(Body& body) override;
  error_code take_body(std::string_view bytes) override;
  error_code check_host();

  HttpRequest request_;
  std::string authority_;  // of a target in absolute form, which counts for more than Host
  std::size_t body_bytes_max_;
  bool expects_continue_ = false;
};

/// Where a response's body goes.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The header is complete, the body begins.
  virtual void begin(const HttpHeaders& headers) = 0;
  /// An error ends the message.
  virtual error_code write(std::string_view bytes) = 0;
};

/// Parses one response's header; the body goes to a sink.
class ResponseParser final : public MessageParser {
 public:
  ResponseParser(std::size_t header_bytes_max, BodySink& sink) noexcept
      : MessageParser(MessageKind::response, header_bytes_max), sink_(sink) {}

  /// The answer has no body, whatever its header says: it is one to HEAD or CONNECT.
  void skip_body() noexcept { skips_body_ = true; }

  unsigned status() const noexcept { return status_; }
  HttpHeaders& response_headers() noexcept { return headers_; }

 private:
  error_code take_start_line(std::string_view line) override;
  error_code take_header(Body& body) override;
  error_code take_body(std::string_view bytes) override { return sink_.write(bytes); }

  BodySink& sink_;
  unsigned status_ = 0;
  bool skips_body_ = false;
};

}  // namespace concerto::net
