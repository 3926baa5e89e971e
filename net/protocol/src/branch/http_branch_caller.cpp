#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_dispatcher.hpp>
#include <concerto/protocol/http_branch_caller.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/url.hpp>

#include "branch_result.hpp"
#include "branch_url.hpp"
#include "headers_for_coordinators.hpp"
#include "rpc_request.hpp"

namespace concerto::net {
namespace {

std::string random_id(RandomSource& random) {
  std::string id;
  for (int i = 0; i < 2; ++i) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), random.next(), 36).ptr;
    id.append(digits.begin(), end);
  }
  return id;
}

/// So many bytes behind the cut of an answer's text are looked at for the end of a URL with a
/// password.
constexpr std::size_t url_bytes_beyond_cut = 1024;

using BranchHeader = std::pair<const std::string, std::string>;

bool comes_before(const BranchHeader* left, const BranchHeader* right) noexcept {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::lexicographical_compare(
      left->first.begin(), left->first.end(), right->first.begin(), right->first.end(),
      [lower](char one, char other) { return lower(one) < lower(other); });
}

bool have_one_name(const BranchHeader* left, const BranchHeader* right) noexcept {
  return equals_ignoring_case(left->first, right->first);
}

/// branch_headers sorted by name, without regard to case. Old stored transactions may have any
/// number of headers, so the time must not be quadratic in it.
std::vector<const BranchHeader*> sorted_headers(const std::map<std::string, std::string>& from) {
  std::vector<const BranchHeader*> headers;
  headers.reserve(from.size());
  for (const BranchHeader& header : from) headers.push_back(&header);
  std::stable_sort(headers.begin(), headers.end(), comes_before);
  return headers;
}

/// branch_headers with each name once: of equal names the last one counts. Only old stored
/// transactions have equal names.
std::vector<const BranchHeader*> distinct_headers(const std::map<std::string, std::string>& from) {
  std::vector<const BranchHeader*> headers = sorted_headers(from);
  headers.erase(headers.begin(),
                std::unique(headers.rbegin(), headers.rend(), have_one_name).base());
  return headers;
}

/// The fields of every call, then branch_headers, which replace fields of the same name.
HttpHeaders branch_headers(const BranchCall& call) {
  HttpHeaders headers;
  headers.reserve(2 + call.headers->size(), 128);
  headers.add("Accept", "application/json");
  headers.add("Content-Type", "application/json");
  if (call.headers->empty()) return headers;
  const auto named = distinct_headers(*call.headers);
  for (const BranchHeader* header : named) {
    if (equals_ignoring_case(header->first, "Accept") ||
        equals_ignoring_case(header->first, "Content-Type")) {
      headers.erase(header->first);
    }
  }
  for (const BranchHeader* header : named) {
    if (is_for_coordinators(header->first)) continue;
    if (call.trace != nullptr && is_traceparent(header->first)) {
      headers.add(header->first, call.trace->str());
    } else {
      headers.add(header->first, header->second);
    }
  }
  return headers;
}

Error not_sendable(const std::string& name, const std::string& why) {
  return make_error(HttpErrc::bad_header,
                    "branch header '" + name + "' cannot be sent over HTTP: " + why);
}

/// Only one of two headers with the same name would be sent.
Result<> check_names_differ(const std::map<std::string, std::string>& headers) {
  const auto sorted = sorted_headers(headers);
  const auto same = std::adjacent_find(sorted.begin(), sorted.end(), have_one_name);
  if (same == sorted.end()) return ok();
  return not_sendable((*std::next(same))->first,
                      "'" + (*same)->first + "' is the same name, as case does not matter");
}

BranchReply error_reply(Error error) {
  return {Outcome::error, std::move(error)};
}

}  // namespace

Result<unsigned> HttpBranchCaller::way_of(Protocol /*protocol*/, std::string_view url) const {
  constexpr std::string_view scheme = "http://";
  constexpr std::uint16_t default_port = 80;
  TargetPlace place;
  PlainUrl seen;
  if (url.starts_with(scheme)) seen = look_at_url(url.substr(scheme.size()));
  if (seen.is_plain) {
    place.scheme = "http";
    place.host = url.substr(scheme.size(), seen.host_bytes);
    place.port = seen.has_port ? static_cast<std::uint16_t>(seen.port) : default_port;
  } else {
    CONCERTO_TRY(const Url parsed, parse_url(url));
    place = place_of(parsed);
  }
  CONCERTO_CHECK(client_.check_target(place));
  return 0U;
}

Result<> HttpBranchCaller::can_carry(unsigned /*way*/, const BranchCall& call) const {
  for (const auto& [name, value] : *call.headers) {
    if (!is_legal_header_name(name)) {
      return not_sendable(name, "its name has characters that are not allowed there");
    }
    if (!is_legal_header_value(value)) {
      return not_sendable(name, "its value has control characters");
    }
    if (is_clients_own_field(name)) {
      return not_sendable(name, "it frames the message, or each connection has its own");
    }
    if (is_for_coordinators(name)) return not_sendable(name, std::string{for_coordinators});
    if (equals_ignoring_case(name, "Host")) CONCERTO_CHECK(check_host(name, value, call.url));
  }
  return check_names_differ(*call.headers);
}

/// The Host field chooses among the sites of a server.
Result<> HttpBranchCaller::check_host(const std::string& name, const std::string& value,
                                      std::string_view url) const {
  if (value.empty() || !is_legal_host_field(value)) {
    return not_sendable(name, "'" + value + "' is no name with perhaps a port");
  }
  CONCERTO_TRY(const Url parsed, parse_url(url));
  const Result<> allowed = client_.check_host(place_of(parsed), value);
  return allowed ? ok() : Result<>(not_sendable(name, allowed.error().detail));
}

Result<> HttpBranchCaller::takes_rpc_payload(std::string_view url, std::string_view payload) const {
  if (branch_transport(Protocol::json_rpc, url) != BranchTransport::json_rpc) return ok();
  return check_rpc_payload(payload);
}

Task<BranchReply> HttpBranchCaller::call(BranchCall call) {
  const bool is_rpc = branch_transport(call.protocol, call.url) == BranchTransport::json_rpc;
  HttpClientRequest request;
  request.headers = branch_headers(call);
  std::string rpc_body;
  if (is_rpc) {
    auto body = rpc_request_body(call, random_id(random_));
    if (!body) co_return error_reply(std::move(body).error());
    rpc_body = std::move(*body);
    request.method = "POST";
    request.url = call.url;
    request.body = rpc_body;
  } else {
    const bool posts = !call.payload.empty() || call.mode->sends_empty_payload;
    request.method = posts ? "POST" : "GET";
    request.url = branch_url(call);
    request.body = call.payload;
    request.body_kept_max = error_text_bytes_max + url_bytes_beyond_cut;
    request.marks = decisive_words;
  }
  const auto answer = co_await client_.send(std::move(request), call.deadline);
  if (!answer) co_return error_reply(answer.error());
  if (is_rpc) co_return judge_rpc_answer(answer->status, answer->body);
  co_return judge_http_answer(answer->status, answer->body, answer->marks_beyond);
}

}  // namespace concerto::net
