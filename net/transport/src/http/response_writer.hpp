#pragma once

#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// What the connection adds to an answer's head.
struct ResponseFrame {
  std::string_view date;
  bool keep_alive = true;
  bool to_http_1_0 = false;  ///< such a peer has to be told that the connection stays
};

/// Whether an answer with this status has a body.
bool status_has_body(unsigned status) noexcept;

/// Whether the handler gave header fields that may be sent.
bool has_legal_headers(const HttpResponse& response) noexcept;

/// Replaces `out` by status line and header fields, with the empty line.
void write_response_head(std::string& out, const HttpResponse& response,
                         const ResponseFrame& frame);

/// `Mon, 23 Nov 2026 21:11:09 GMT`
std::string http_date(WallTime time);

}  // namespace concerto::net
