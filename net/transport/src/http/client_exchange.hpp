#pragma once

#include <string>

#include <concerto/transport/http_client.hpp>
#include <concerto/transport/url.hpp>

#include "call_deadline.hpp"
#include "client_connection.hpp"
#include "message_parser.hpp"

namespace concerto::net {

/// Errors: HttpErrc::bad_header.
Result<> check_headers(const HttpHeaders& headers);

/// Replaces `out` by the request's head. If `plain_proxy` is given, the request goes to that proxy
/// and therefore names the whole URL.
void write_request_head(std::string& out, const HttpClientRequest& request, const Url& url,
                        const HttpProxyRules::Proxy* plain_proxy);

struct ExchangeResult {
  Result<HttpClientResponse> response;
  bool sent_any = false;  ///< bytes of the request may have reached the server
  bool reusable = false;  ///< the connection can serve further requests
};

/// Sends one request, whose head is in the connection's scratch(), and reads the answer.
Task<ExchangeResult> exchange(ClientConnection& connection, const HttpClientRequest& request,
                              const HttpClientOptions& options, CallDeadline& deadline);

/// Reads one message into `parser`. Without an error the message is complete. error::eof means that
/// the connection ended before the message's first byte, error::connection_aborted that it ended
/// inside the message.
Task<error_code> read_message(ClientConnection& connection, ResponseParser& parser);

}  // namespace concerto::net
