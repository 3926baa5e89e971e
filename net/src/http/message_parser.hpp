#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include <concerto/core/error.hpp>
#include <concerto/net/http_message.hpp>

namespace concerto::net {

/// What a message parser has come to after some input.
enum class ParseState {
  more,      ///< needs more input
  complete,  ///< the message is there; the rest of the input belongs to the next one
  failed,    ///< see error(); the connection is of no further use
};

/// Beast's incremental parser, with the parts that requests and responses share: the limit on all
/// header bytes together (Beast's own is per call), and fields of a trailer left out.
template <bool is_request>
class MessageParser : public boost::beast::http::basic_parser<is_request> {
 public:
  using Base = boost::beast::http::basic_parser<is_request>;
  using string_view = boost::beast::string_view;

  /// Takes input and tells through `used` how much of it; hold the rest back for the next call.
  ParseState feed(std::string_view input, std::size_t& used);
  /// The connection has ended.
  ParseState feed_end();

  const error_code& error() const noexcept { return error_; }

  /// Held back input has outgrown the limit.
  void fail_too_long() noexcept;

 protected:
  explicit MessageParser(std::size_t header_bytes_max);

  virtual HttpHeaders& headers() noexcept = 0;
  /// Appends body bytes; an error ends the message.
  virtual error_code take_body(std::string_view bytes) = 0;
  virtual error_code header_complete() = 0;

 private:
  void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                     error_code& error) final;
  void on_header_impl(error_code& error) final;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) final {}
  std::size_t on_body_impl(string_view bytes, error_code& error) final;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) final {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) final;
  void on_finish_impl(error_code&) final {}

  ParseState settle(const error_code& error);

  std::size_t header_bytes_left_;
  bool in_trailer_ = false;
  error_code error_;
};

/// Parses one request straight into an HttpRequest.
class RequestParser final : public MessageParser<true> {
 public:
  RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max);

  /// The client waits for `100 Continue` before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }
  bool is_http_1_0() const noexcept { return version_ == 10; }
  bool has_started() const { return this->got_some(); }

  /// The status that a failed request is answered with.
  unsigned refusal_status() const noexcept;

  HttpRequest& request() noexcept { return request_; }

 private:
  void on_request_impl(boost::beast::http::verb, string_view method, string_view target,
                       int version, error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  HttpHeaders& headers() noexcept override { return request_.headers; }
  error_code take_body(std::string_view bytes) override;
  error_code header_complete() override;

  HttpRequest request_;
  std::size_t body_bytes_max_;
  int version_ = 11;
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
class ResponseParser final : public MessageParser<false> {
 public:
  ResponseParser(std::size_t header_bytes_max, BodySink& sink);

  unsigned status() const noexcept { return status_; }
  HttpHeaders& response_headers() noexcept { return headers_; }

 private:
  void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                       error_code&) override {}
  void on_response_impl(int status, string_view, int, error_code&) override;
  HttpHeaders& headers() noexcept override { return headers_; }
  error_code take_body(std::string_view bytes) override { return sink_.write(bytes); }
  error_code header_complete() override;

  BodySink& sink_;
  unsigned status_ = 0;
  HttpHeaders headers_;
};

}  // namespace concerto::net
