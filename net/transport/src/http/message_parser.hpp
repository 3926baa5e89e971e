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

/// The state of a message parser after some input.
enum class ParseState {
  more,      ///< the message is incomplete
  complete,  ///< the message is complete; the rest of the input belongs to the next message
  failed,    ///< see error(); the connection cannot be used any more
};

/// Reads one message of HTTP/1.1 (RFC 9112) from input in pieces of any size: lines up to an empty
/// one, then a body, which ends by its length, by its last chunk or with the connection.
///
/// A request is read strictly, an answer leniently; MessageKind says why. A line may end with LF
/// alone, but not the lines of chunks in a request. The fields of a trailer are checked and
/// dropped.
class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Reads `input` and sets `used` to the number of bytes that were read. Pass the rest again, with
  /// more input, in the next call. The rest is smaller than the limit on header bytes. Must not be
  /// called after complete or failed.
  ParseState feed(std::string_view input, std::size_t& used);
  /// The connection has ended.
  ParseState feed_end();

  const error_code& error() const noexcept { return error_; }
  bool got_some() const noexcept { return got_some_; }
  bool is_header_done() const noexcept { return stage_ > Stage::fields; }
  bool is_done() const noexcept { return stage_ == Stage::complete; }
  /// True if the connection may serve another message. Known once the header is complete.
  bool keep_alive() const noexcept { return framing_.keep_alive; }
  /// The bytes of a body of known length that were not read yet.
  std::uint64_t body_bytes_left() const noexcept { return stage_ == Stage::body ? left_ : 0; }

 protected:
  MessageParser(MessageKind kind, std::size_t header_bytes_max) noexcept
      : kind_(kind), header_bytes_left_(header_bytes_max) {}
  ~MessageParser() = default;

  /// How the body ends: as the fields say, there is none, or with the connection.
  enum class Body { framed, none, until_end };

  virtual error_code take_start_line(std::string_view line) = 0;
  /// Called when the fields are complete. Sets `body` to what follows the header. `framed` means
  /// that the fields say it; if they say nothing, there is no body.
  virtual error_code take_header(Body& body) = 0;
  /// Receives bytes of the body. An error ends the message.
  virtual error_code take_body(std::string_view bytes) = 0;

  const MessageFraming& framing() const noexcept { return framing_; }

  HttpHeaders headers_;
  int version_ = 11;

 private:
  // In the order in which a message goes through them.
  enum class Stage {
    start_line,
    fields,
    body,        // left_ bytes of a body of known length are to come
    until_end,   // the body ends with the connection
    chunk_line,  // the line with the size of a chunk
    chunk,       // left_ bytes of a chunk are to come
    chunk_end,   // the line end after a chunk
    trailer,
    complete,
  };

  /// Reads one line or one piece of the body. False if more input is needed or after an error.
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
  bool folds_ = false;  // a line that begins with a blank continues the last field
  std::size_t header_bytes_left_;
  std::size_t scanned_ = 0;  // bytes of the current line that were searched for its end
  std::uint64_t left_ = 0;
  MessageFraming framing_;
  error_code error_;
};

/// Parses one request directly into an HttpRequest.
class RequestParser final : public MessageParser {
 public:
  RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max);

  /// True if the client waits for `100 Continue`, or a refusal, before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }
  bool is_http_1_0() const noexcept { return version_ == 10; }
  bool has_started() const noexcept { return got_some(); }

  /// The HTTP status with which a failed request is answered.
  unsigned refusal_status() const noexcept;

  /// The request. Its headers are there once the header is complete and legal.
  HttpRequest& request() noexcept { return request_; }

 private:
  error_code take_start_line(std::string_view line) override;
  error_code take_target(std::string_view target);
  error_code take_header(Body& body) override;
  error_code take_body(std::string_view bytes) override;
  error_code check_host();

  HttpRequest request_;
  std::string authority_;  // host of a target in absolute form, which replaces the field Host
  std::size_t body_bytes_max_;
  bool expects_continue_ = false;
};

/// Receives the body of a response.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// Called when the header is complete and the body begins.
  virtual void begin(const HttpHeaders& headers) = 0;
  /// An error ends the message.
  virtual error_code write(std::string_view bytes) = 0;
};

/// Parses one response's header; the body goes to a sink.
class ResponseParser final : public MessageParser {
 public:
  ResponseParser(std::size_t header_bytes_max, BodySink& sink) noexcept
      : MessageParser(MessageKind::response, header_bytes_max), sink_(sink) {}

  /// For the answer to HEAD or CONNECT, which has no body, whatever its header says.
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
