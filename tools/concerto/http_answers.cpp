#include "http_answers.hpp"

#include <string>

#include <boost/json/parse.hpp>

#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t message_bytes_max = 2'000;
constexpr std::size_t depth_max = 200;

/// The message of an error's body: of JSON, or the text as it is.
std::string message_of(const std::string& body) {
  error_code failed;
  const json::value value = json::parse(body, failed);
  if (!failed && value.is_object()) {
    const json::value* const message = value.get_object().if_contains("message");
    if (message != nullptr && message->is_string()) return std::string(message->get_string());
  }
  std::string text = body.substr(0, message_bytes_max);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

VerbErrc kind_of_status(unsigned status, const std::string& body) {
  switch (status) {
    case 404:
      return body.compare(0, 1, "{") == 0 ? VerbErrc::not_found : VerbErrc::no_route;
    case 405:
    case 501:
      return VerbErrc::no_route;
    case 429:
    case 502:
    case 503:
    case 504:
      return VerbErrc::unreachable;
    default:
      break;
  }
  constexpr unsigned first_of_servers = 500;
  return status >= first_of_servers || status < 400 ? VerbErrc::failed : VerbErrc::refused;
}

/// Whether an answer that is a refusal for now says that nothing was changed. A coordinator asks
/// for a repetition (Retry-After) then, and does not add that the outcome is unknown. An answer of
/// a proxy may be to a request that has arrived.
bool has_changed_nothing(const net::HttpClientResponse& answer) {
  if (answer.status == too_many_requests) return true;
  return answer.status == 503 && answer.headers.contains("Retry-After") &&
         answer.headers.find("Concerto-Outcome") != std::string_view("unknown");
}

std::string hint_of_status(unsigned status) {
  switch (status) {
    case 401:
      return " (the token, or the certificate, of a caller is needed: --token-file, or a context)";
    case 403:
      return " (the caller has not the role)";
    default:
      return {};
  }
}

}  // namespace

Error error_of(const net::HttpClientResponse& answer) {
  const VerbErrc kind = kind_of_status(answer.status, answer.body);
  if (kind == VerbErrc::no_route && answer.status != 501) {
    return make_error(kind,
                      "the coordinator does not have this; it may be an older version "
                      "(HTTP " +
                          std::to_string(answer.status) + ")");
  }
  return make_error(kind, "HTTP " + std::to_string(answer.status) + ": " + message_of(answer.body) +
                              hint_of_status(answer.status));
}

Error error_of_change(const net::HttpClientResponse& answer) {
  Error error = error_of(answer);
  if (error.code != make_error_code(VerbErrc::unreachable) || has_changed_nothing(answer)) {
    return error;
  }
  error.code = make_error_code(VerbErrc::failed);
  const bool is_said = error.detail.find("not known") != std::string::npos;
  if (!is_said) error.detail += "; whether it was done is not known";
  return error;
}

Result<json::value> json_of(const net::HttpClientResponse& answer) {
  constexpr unsigned first_of_redirects = 300;
  if (answer.status < 200 || answer.status >= first_of_redirects) return error_of(answer);
  error_code failed;
  json::parse_options options;
  options.max_depth = depth_max;
  json::value value = json::parse(answer.body, failed, {}, options);
  if (failed) {
    return make_error(VerbErrc::no_coordinator,
                      "the answer is no JSON: " + answer.body.substr(0, shown_bytes));
  }
  return value;
}

}  // namespace concerto::tools
