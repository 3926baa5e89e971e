// Bytes of a client over HTTP/1.1: any number of requests, in any pieces. It does not matter where
// the pieces end, and a request that is written again is read as the same request.

#include <concerto/transport/http_message.hpp>
#include <concerto/transport/percent.hpp>

#include "fuzz_target.hpp"
#include "http/message_parser.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

constexpr std::size_t header_bytes_max = 512;
constexpr std::size_t body_bytes_max = 256;

std::string text_of(const HttpRequest& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += "&" + name + "=" + value;
  return text + "|" + request.body;
}

std::string fields_of(const HttpHeaders& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    text.append("|").append(headers[i].name).append("=").append(headers[i].value);
  }
  return text;
}

bool says_how_it_is_sent(std::string_view name) {
  constexpr std::string_view names[] = {"Content-Length", "Transfer-Encoding", "Expect",
                                        "Host",           "Connection",        "Content-Encoding"};
  return std::ranges::any_of(
      names, [name](std::string_view each) { return equals_ignoring_case(each, name); });
}

/// The path as a request line has it. `%2F` and `%25` are still escaped in it.
std::string encoded_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '/' || c == '%') {
      out += c;
    } else if (c == ' ') {
      out += "%20";
    } else {
      append_query_escaped(out, {&c, 1});
    }
  }
  return out;
}

std::string written(const HttpRequest& request) {
  std::string out = request.method + " " + encoded_path(request.path);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    append_query_escaped(out += separator, name);
    append_query_escaped(out += '=', value);
    separator = '&';
  }
  out += " HTTP/1.1\r\nHost: x\r\n";
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers[i];
    if (!says_how_it_is_sent(name)) out.append(name).append(": ").append(value).append("\r\n");
  }
  return out + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
}

void check_round_trip(const HttpRequest& request) {
  if (request.path.front() != '/') return;
  RequestParser parser(1 << 16, body_bytes_max);
  const std::string text = written(request);
  std::size_t used = 0;
  require(parser.feed(text, used) == ParseState::complete && used == text.size());
  require(text_of(parser.request()) == text_of(request));
  require(parser.keep_alive());
}

void check(const HttpRequest& request) {
  require(!request.path.empty() && request.body.size() <= body_bytes_max);
  require(request.path.front() == '/' || request.method == "OPTIONS" ||
          request.method == "CONNECT");
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    require(is_legal_header_name(request.headers[i].name));
    require(is_legal_header_value(request.headers[i].value));
  }
  require(is_legal_host_field(request.headers.find("Host").value_or("")));
  check_round_trip(request);
}

/// What the server reads from the bytes of a connection.
std::string outcome(std::string_view input, Cuts cuts) {
  std::string text;
  std::string held;
  auto parser = std::make_unique<RequestParser>(header_bytes_max, body_bytes_max);
  for (const std::string_view piece : pieces_of(input, cuts)) {
    held += piece;
    for (ParseState state = ParseState::complete; state == ParseState::complete;) {
      std::size_t used = 0;
      state = parser->feed(held, used);
      require(used <= held.size());
      held.erase(0, used);
      if (state == ParseState::more) {
        require(held.size() < 4096);
        break;
      }
      if (state == ParseState::failed) {
        require(parser->refusal_status() >= 400);
        return text + "\nrefused";
      }
      const HttpRequest& request = parser->request();
      check(request);
      text += "\n" + text_of(request) + fields_of(request.headers);
      if (!parser->keep_alive()) return text + "\nlast";
      parser = std::make_unique<RequestParser>(header_bytes_max, body_bytes_max);
      if (held.empty()) break;
    }
  }
  return text + (parser->has_started() ? "\nbegun" : "\nidle");
}

}  // namespace

void http_requests(std::string_view input) {
  const std::string whole = outcome(input, Cuts::none);
  for (const Cuts cuts : all_cuts) require(outcome(input, cuts) == whole);
}

}  // namespace concerto::fuzz
