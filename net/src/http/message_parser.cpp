#include "message_parser.hpp"

#include <algorithm>

#include <boost/beast/http/error.hpp>

#include "percent.hpp"

namespace concerto::net {
namespace {

namespace http = boost::beast::http;

// What Beast has no code of its own for.
constexpr auto missing_host = http::error::bad_field;
constexpr auto unknown_coding = http::error::bad_transfer_encoding;
constexpr auto unknown_expectation = http::error::bad_value;

constexpr std::size_t typical_fields = 8;
constexpr std::size_t typical_header_bytes = 256;
// Larger bodies grow as they come: a Content-Length alone costs the server no memory.
constexpr std::size_t body_reserve_bytes_max = 64 << 10;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

template <bool is_request>
MessageParser<is_request>::MessageParser(std::size_t header_bytes_max)
    : header_bytes_left_(header_bytes_max) {
  this->eager(true);
  this->header_limit(static_cast<std::uint32_t>(header_bytes_max));
  this->body_limit(boost::none);
}

template <bool is_request>
ParseState MessageParser<is_request>::feed(std::string_view input, std::size_t& used) {
  error_code error;
  used = this->put(boost::asio::const_buffer(input.data(), input.size()), error);
  return settle(error);
}

template <bool is_request>
ParseState MessageParser<is_request>::feed_end() {
  error_code error;
  this->put_eof(error);
  return settle(error);
}

template <bool is_request>
void MessageParser<is_request>::fail_too_long() noexcept {
  error_ = http::error::header_limit;
}

template <bool is_request>
ParseState MessageParser<is_request>::settle(const error_code& error) {
  if (error && error != http::error::need_more) {
    error_ = error;
    return ParseState::failed;
  }
  return this->is_done() ? ParseState::complete : ParseState::more;
}

template <bool is_request>
void MessageParser<is_request>::on_field_impl(http::field, string_view name, string_view value,
                                              error_code& error) {
  const std::size_t bytes = name.size() + value.size() + 4;  // ": " and the line end
  if (bytes > header_bytes_left_) {
    error = http::error::header_limit;
    return;
  }
  header_bytes_left_ -= bytes;
  if (in_trailer_) return;
  if (headers().empty()) headers().reserve(typical_fields, typical_header_bytes);
  headers().add(view(name), view(value));
}

template <bool is_request>
void MessageParser<is_request>::on_header_impl(error_code& error) {
  in_trailer_ = true;
  if (!this->chunked() && headers().contains("Transfer-Encoding")) {
    error = unknown_coding;
    return;
  }
  error = header_complete();
}

template <bool is_request>
std::size_t MessageParser<is_request>::on_body_impl(string_view bytes, error_code& error) {
  error = take_body(view(bytes));
  return bytes.size();
}

template <bool is_request>
std::size_t MessageParser<is_request>::on_chunk_body_impl(std::uint64_t, string_view bytes,
                                                          error_code& error) {
  error = take_body(view(bytes));
  return bytes.size();
}

template class MessageParser<true>;
template class MessageParser<false>;

RequestParser::RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : MessageParser(header_bytes_max), body_bytes_max_(body_bytes_max) {}

void RequestParser::on_request_impl(http::verb, string_view method, string_view target, int version,
                                    error_code& error) {
  version_ = version;
  request_.method = view(method);
  std::string_view rest = view(target);
  if (const std::size_t scheme = rest.find("://"); scheme != rest.npos && rest[0] != '/') {
    rest.remove_prefix(scheme + 3);  // The absolute form that proxies use.
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
  }
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path_bytes = std::min(rest.find('?'), rest.size());
  auto path = percent_decode(rest.substr(0, path_bytes), false);
  if (path && path->empty()) path = "/";
  if (!path || (path->front() != '/' && *path != "*")) {
    error = http::error::bad_target;
    return;
  }
  request_.path = std::move(*path);
  if (path_bytes < rest.size()) request_.query = decode_query(rest.substr(path_bytes + 1));
}

error_code RequestParser::header_complete() {
  if (version_ >= 11 && !request_.headers.contains("Host")) return missing_host;
  if (const auto length = content_length()) {
    if (*length > body_bytes_max_) return http::error::body_limit;
    request_.body.reserve(std::min<std::size_t>(*length, body_reserve_bytes_max));
  }
  if (const auto expect = request_.headers.find("Expect"); expect && version_ >= 11) {
    if (!equals_ignoring_case(*expect, "100-continue")) return unknown_expectation;
    expects_continue_ = true;
  }
  return {};
}

error_code RequestParser::take_body(std::string_view bytes) {
  if (bytes.size() > body_bytes_max_ - request_.body.size()) return http::error::body_limit;
  request_.body.append(bytes);
  return {};
}

unsigned RequestParser::refusal_status() const noexcept {
  if (error() == http::error::body_limit) return 413;
  if (error() == http::error::header_limit) return 431;
  if (error() == unknown_expectation && is_header_done()) return 417;
  return 400;
}

ResponseParser::ResponseParser(std::size_t header_bytes_max, BodySink& sink)
    : MessageParser(header_bytes_max), sink_(sink) {}

void ResponseParser::on_response_impl(int status, string_view, int, error_code&) {
  status_ = static_cast<unsigned>(status);
}

error_code ResponseParser::header_complete() {
  sink_.begin(headers_);
  return {};
}

}  // namespace concerto::net
