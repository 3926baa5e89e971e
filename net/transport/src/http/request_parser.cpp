#include <algorithm>
#include <array>

#include <concerto/transport/percent.hpp>

#include "message_parser.hpp"

namespace concerto::net {
namespace {

/// Limited because each parameter takes more memory than its bytes. The error's text repeats the
/// number.
constexpr std::ptrdiff_t query_parameters_max = 1'000;

// More space is not reserved in advance, because an announced length costs the client nothing.
constexpr std::size_t body_reserve_bytes_max = 64 << 10;

/// True for a coding that this server cannot decode. Other values are ignored, as the reference
/// ignores all codings.
bool is_compression(std::string_view coding) noexcept {
  static constexpr std::array<std::string_view, 7> compressions{
      "gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"};
  return std::any_of(compressions.begin(), compressions.end(), [coding](std::string_view each) {
    return equals_ignoring_case(coding, each);
  });
}

}  // namespace

RequestParser::RequestParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : MessageParser(MessageKind::request, header_bytes_max), body_bytes_max_(body_bytes_max) {}

error_code RequestParser::take_start_line(std::string_view line) {
  RequestLine parts;
  const error_code error = parse_request_line(line, parts);
  request_.method = parts.method;
  version_ = parts.version;
  return error ? error : take_target(parts.target);
}

/// Reads the four forms of a target (RFC 9112, section 3.2).
error_code RequestParser::take_target(std::string_view target) {
  if (target == "*" && request_.method == "OPTIONS") {
    request_.path = target;
    return {};
  }
  if (request_.method == "CONNECT" && is_legal_host_field(target)) {
    request_.path = target;
    return {};
  }
  const std::size_t scheme = target.front() == '/' ? target.npos : target.find("://");
  if (scheme != target.npos) {  // The absolute form, which is used with proxies.
    target.remove_prefix(scheme + 3);
    const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
    authority_ = target.substr(0, authority);
    if (authority_.empty() || !is_legal_host_field(authority_)) return MessageErrc::bad_target;
    target.remove_prefix(authority);
  }
  const std::size_t path_bytes = std::min(target.find('?'), target.size());
  auto path = decode_path(target.substr(0, path_bytes));
  if (path && path->empty() && !authority_.empty()) path = "/";
  if (!path || path->empty() || path->front() != '/') return MessageErrc::bad_target;
  request_.path = std::move(*path);
  target.remove_prefix(std::min(path_bytes + 1, target.size()));
  if (std::count(target.begin(), target.end(), '&') >= query_parameters_max) {
    return MessageErrc::too_many_parameters;
  }
  request_.query = decode_query(target);
  return {};
}

error_code RequestParser::check_host() {
  const unsigned count = framing().host_count;
  if (count > 1 || (count == 0 && version_ >= 11)) return MessageErrc::bad_host;
  const auto host = headers_.find("Host");
  if (host && !is_legal_host_field(*host)) return MessageErrc::bad_host;
  if (!authority_.empty()) headers_.set("Host", authority_);
  return {};
}

error_code RequestParser::take_header(Body& body) {
  body = Body::framed;
  if (const error_code error = check_host()) return error;
  if (const auto expect = headers_.find("Expect"); expect && version_ >= 11) {
    expects_continue_ = true;
    if (!equals_ignoring_case(*expect, "100-continue")) return MessageErrc::unknown_expectation;
  }
  const bool has_body = framing().chunked || framing().length.value_or(0) > 0;
  const auto coding = has_body ? headers_.find("Content-Encoding") : std::nullopt;
  if (coding && is_compression(*coding)) return MessageErrc::unknown_content_coding;
  if (const auto length = framing().length) {
    if (*length > body_bytes_max_) return MessageErrc::body_too_large;
    request_.body.reserve(std::min<std::size_t>(*length, body_reserve_bytes_max));
  }
  request_.headers = std::move(headers_);
  return {};
}

error_code RequestParser::take_body(std::string_view bytes) {
  if (bytes.size() > body_bytes_max_ - request_.body.size()) return MessageErrc::body_too_large;
  request_.body.append(bytes);
  return {};
}

unsigned RequestParser::refusal_status() const noexcept {
  if (error() == MessageErrc::body_too_large) return 413;
  if (error() == MessageErrc::unknown_content_coding) return 415;
  if (error() == MessageErrc::unknown_expectation) return 417;
  if (error() == MessageErrc::header_too_large) return 431;
  if (error() == MessageErrc::too_many_fields) return 431;
  if (error() == MessageErrc::unknown_transfer_coding) return 501;
  if (error() == MessageErrc::bad_version) return 505;
  return 400;
}

}  // namespace concerto::net
