// A branch's answer over HTTP/1.1, compressed or not, in any pieces. It does not matter where the
// pieces end, a body stays within its limit, and an answer that is written again is read as the
// same answer.

#include <concerto/transport/http_message.hpp>

#include "fuzz_target.hpp"
#include "http/body_collector.hpp"
#include "http/message_parser.hpp"
#include "http/response_writer.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

constexpr std::size_t header_bytes_max = 512;
constexpr std::size_t body_bytes_max = 256;

bool says_how_it_is_sent(std::string_view name) {
  constexpr std::string_view names[] = {"Content-Length", "Transfer-Encoding", "Content-Encoding",
                                        "Connection"};
  return std::ranges::any_of(
      names, [name](std::string_view each) { return equals_ignoring_case(each, name); });
}

std::string fields_of(const HttpHeaders& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    text.append("|").append(headers[i].name).append("=").append(headers[i].value);
  }
  return text;
}

void check_round_trip(unsigned status, const HttpHeaders& headers, const std::string& body) {
  HttpResponse response;
  response.status = status;
  response.body = body;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!says_how_it_is_sent(headers[i].name)) {
      response.headers.add(headers[i].name, headers[i].value);
    }
  }
  if (!status_has_body(status) || !has_legal_headers(response)) return;
  std::string text;
  ResponseFrame frame;
  frame.date = "Mon, 23 Nov 2026 21:11:09 GMT";
  write_response_head(text, response, frame);
  text += body;

  BodyCollector collected(body_bytes_max);
  ResponseParser parser(1 << 16, collected);
  std::size_t used = 0;
  require(parser.feed(text, used) == ParseState::complete && used == text.size());
  require(parser.status() == status && collected.take() == body && parser.keep_alive());
  require(fields_of(parser.response_headers()).find(fields_of(response.headers)) !=
          std::string::npos);
}

/// What the client reads from the bytes of one answer and the end of the connection.
std::string outcome(std::string_view input, Cuts cuts) {
  BodyCollector body(body_bytes_max);
  ResponseParser parser(header_bytes_max, body);
  std::string held;
  ParseState state = ParseState::more;
  for (const std::string_view piece : pieces_of(input, cuts)) {
    held += piece;
    std::size_t used = 0;
    state = parser.feed(held, used);
    require(used <= held.size());
    held.erase(0, used);
    if (state != ParseState::more) break;
    require(held.size() < 4096);
  }
  if (state == ParseState::more) state = parser.feed_end();
  if (state == ParseState::failed) return body.truncated() ? "too large" : "failed";
  const bool is_whole = body.is_whole();
  const std::string bytes = body.take();
  require(state == ParseState::complete && parser.is_done() && bytes.size() <= body_bytes_max);
  if (is_whole) check_round_trip(parser.status(), parser.response_headers(), bytes);
  return std::to_string(parser.status()) + fields_of(parser.response_headers()) + "|" + bytes +
         (parser.keep_alive() ? "|stays" : "|closes") + (is_whole ? "" : "|cut off");
}

}  // namespace

void http_responses(std::string_view input) {
  const std::string whole = outcome(input, Cuts::none);
  for (const Cuts cuts : all_cuts) require(outcome(input, cuts) == whole);
}

}  // namespace concerto::fuzz
