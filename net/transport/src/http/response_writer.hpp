#pragma once

#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// What the connection adds to the head of an answer.
struct ResponseFrame {
  std::string_view date;
  bool keep_alive = true;
  bool to_http_1_0 = false;  ///< the head has to say that the connection stays open
};

/// True if an answer with this status has a body.
bool status_has_body(unsigned status) noexcept;

/// True if the header fields that the handler made may be sent.
bool has_legal_headers(const HttpResponse& response) noexcept;

/// Replaces `out` by the status line, the header fields and the empty line.
void write_response_head(std::string& out, const HttpResponse& response,
                         const ResponseFrame& frame);

/// `Mon, 23 Nov 2026 21:11:09 GMT`
std::string http_date(WallTime time);

}  // namespace concerto::net
