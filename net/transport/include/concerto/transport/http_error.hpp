#pragma once

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// Errors of the HTTP client. All of them are "other error" to the engine (protocol page 01,
/// section 5); the conditions tell whether the request can have reached its server.
enum class HttpErrc {
  bad_url = 1,         ///< rejected: cannot be parsed, or has control characters
  unsupported_scheme,  ///< rejected: neither http nor https
  bad_header,          ///< rejected: an illegal name or value
  bad_payload,         ///< rejected: a JSON-RPC payload that is not an object
  target_refused,      ///< retry later: the policy about targets refuses the host or its addresses
  resolve_failed,      ///< retry later: no address for the host
  connect_failed,      ///< retry later: no address took the connection
  tls_failed,          ///< retry later: handshake or certificate check failed
  proxy_failed,        ///< retry later: the proxy refused or is of an unsupported kind
  closing,             ///< retry later: the client shuts down, nothing was sent
  timed_out_unsent,    ///< retry later: the deadline passed before anything was sent
  timed_out,           ///< outcome unknown: the deadline passed
  cancelled,           ///< outcome unknown: the caller's task was cancelled
  connection_lost,     ///< outcome unknown: closed or reset before the answer was complete
  bad_response,        ///< outcome unknown: not HTTP/1, broken gzip, headers too large
  too_many_redirects,  ///< outcome unknown
  bad_status,          ///< outcome unknown: a branch answered with neither 200, 409 nor 425
  rpc_error,           ///< outcome unknown: a JSON-RPC error other than FAILURE and ONGOING
};

CONCERTO_EXPORT const boost::system::error_category& http_category() noexcept;
CONCERTO_EXPORT boost::system::error_code make_error_code(HttpErrc code) noexcept;

inline Error make_error(HttpErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

}  // namespace concerto::net

template <>
struct boost::system::is_error_code_enum<concerto::net::HttpErrc> : std::true_type {};
