#include "client_exchange.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <concerto/base/masked_url.hpp>

#include "basic_authorization.hpp"
#include "body_collector.hpp"

namespace concerto::net {
namespace {

// A correct server sends one or two interim answers before its final one.
constexpr unsigned interim_answers_max = 16;
constexpr unsigned switching_protocols = 101;  // no request here asks for another protocol
constexpr std::size_t scratch_bytes_retained_max = 4096;

/// True for fields that are not written with the others: Host, which is the first one, and the
/// client's own.
bool stands_elsewhere(std::string_view name) noexcept {
  return equals_ignoring_case(name, "Host") || is_clients_own_field(name);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

Error wrong(const std::string& why) {
  return make_error(HttpErrc::bad_response, "bad response: " + why);
}

bool method_has_body(std::string_view method) noexcept {
  return method != "GET" && method != "HEAD" && method != "DELETE";
}

}  // namespace

bool is_clients_own_field(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 10> own{
      "Content-Length",   "Transfer-Encoding", "Connection", "Keep-Alive",
      "Proxy-Connection", "Upgrade",           "Expect",     "TE",
      "Trailer",          "HTTP2-Settings"};
  return std::any_of(own.begin(), own.end(),
                     [name](std::string_view field) { return equals_ignoring_case(field, name); });
}

Result<> check_headers(const HttpHeaders& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (!is_legal_header_name(name)) {
      return make_error(HttpErrc::bad_header,
                        "header name \"" + std::string{name} + "\" is not legal");
    }
    if (!is_legal_header_value(value)) {
      return make_error(HttpErrc::bad_header,
                        "value of header " + std::string{name} + " has control characters");
    }
  }
  return ok();
}

void write_request_head(std::string& out, const HttpClientRequest& request, const Url& url,
                        const HttpProxyRules::Proxy* plain_proxy) {
  const HttpHeaders& headers = request.headers;
  out.assign(request.method).append(" ");
  if (plain_proxy) {
    out.append("http://");
    append_authority(out, url);
  }
  append_request_target(out, url);
  out.append(" HTTP/1.1\r\nHost: ");
  if (const auto host = headers.find("Host"); host && !host->empty()) {
    out.append(*host);
  } else {
    append_authority(out, url);
  }
  out.append("\r\n");
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (!stands_elsewhere(name)) append_field(out, name, value);
  }
  if (!headers.contains("User-Agent")) append_field(out, "User-Agent", "concerto");
  if (!headers.contains("Accept-Encoding")) append_field(out, "Accept-Encoding", "gzip");
  if (!url.userinfo.empty() && !headers.contains("Authorization")) {
    append_field(out, "Authorization", basic_authorization(url.userinfo));
  }
  if (plain_proxy && !plain_proxy->authorization.empty()) {
    append_field(out, "Proxy-Authorization", plain_proxy->authorization);
  }
  if (!request.body.empty() || method_has_body(request.method)) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, request.body.size()).ptr;
    append_field(out, "Content-Length", {digits, end});
  }
  out.append("\r\n");
}

Task<error_code> read_message(ClientConnection& connection, ResponseParser& parser) {
  ReadBuffer& buffer = connection.buffer();
  for (;;) {
    if (!buffer.empty()) {
      std::size_t used = 0;
      const ParseState state = parser.feed(buffer.data(), used);
      buffer.consume(used);
      if (state == ParseState::complete) co_return error_code{};
      if (state == ParseState::failed) co_return parser.error();
    }
    const error_code error = co_await connection.read();
    if (!error) continue;
    if (error != asio::error::eof || !parser.got_some()) co_return error;
    if (parser.feed_end() == ParseState::complete) co_return error_code{};
    co_return asio::error::connection_aborted;
  }
}

namespace {

/// Reads the answer to one request and skips interim answers.
class AnswerReader {
 public:
  AnswerReader(ClientConnection& connection, const HttpClientOptions& options,
               const HttpClientRequest& request)
      : connection_(connection), options_(options), request_(request) {}

  /// Reads the answer into `result`, or an error if the answer is malformed. The returned error is
  /// one of the connection.
  Task<error_code> read(ExchangeResult& result) {
    for (unsigned i = 0; i < interim_answers_max; ++i) {
      BodyCollector body{options_.body_bytes_max, request_.body_kept_max, request_.marks,
                         options_.buffers.get()};
      ResponseParser parser{options_.header_bytes_max, body};
      if (request_.method == "HEAD") parser.skip_body();
      const error_code error = co_await read_message(connection_, parser);
      if (body.is_given_up() && error == parser.error()) {
        result.response = wrong(make_error_code(MessageErrc::no_room).message());
        co_return error_code{};
      }
      const bool cut = error && body.truncated();
      if (error && !cut) {
        if (error != parser.error()) co_return error;
        result.response = wrong(error.message());
        co_return error_code{};
      }
      if (parser.status() == switching_protocols) {
        result.response = wrong("it switches to another protocol");
        co_return error_code{};
      }
      if (parser.status() / 100 == 1) continue;
      if (!cut && !body.is_whole()) {
        result.response = wrong("gzip data ends early");
        co_return error_code{};
      }
      result.reusable = !cut && parser.keep_alive() && connection_.buffer().empty();
      HttpClientResponse response;
      response.status = parser.status();
      response.headers = std::move(parser.response_headers());
      response.body = body.take();
      response.marks_beyond = body.marks_beyond();
      response.truncated = cut;
      result.response = std::move(response);
      co_return error_code{};
    }
    result.response = wrong("too many interim answers");
    co_return error_code{};
  }

 private:
  ClientConnection& connection_;
  const HttpClientOptions& options_;
  const HttpClientRequest& request_;
};

}  // namespace

Task<ExchangeResult> exchange(ClientConnection& connection, const HttpClientRequest& request,
                              const HttpClientOptions& options, CallDeadline& deadline) {
  const CallDeadline::Watch watch{deadline, connection.socket()};
  ExchangeResult result;
  const Outgoing outgoing{connection.scratch(), request.body};
  const error_code unsent = co_await connection.write(outgoing, result.sent_any);
  if (result.sent_any) deadline.mark_sent();
  if (unsent &&
      (!result.sent_any || deadline.is_over() || unsent == asio::error::operation_aborted)) {
    result.response =
        deadline.explain(unsent, HttpErrc::connection_lost, "send to " + masked_url(request.url));
    co_return result;
  }
  // A server that refuses a request may answer and close before it has read the whole request.
  AnswerReader reader{connection, options, request};
  const error_code unread = co_await reader.read(result);
  if (unread) {
    result.response = deadline.explain(unsent ? unsent : unread, HttpErrc::connection_lost,
                                       "answer of " + masked_url(request.url));
  }
  if (unsent) result.reusable = false;
  if (connection.scratch().capacity() > scratch_bytes_retained_max) {
    connection.scratch() = std::string{};
  }
  co_return result;
}

}  // namespace concerto::net
