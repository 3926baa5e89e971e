#pragma once

#include <cstdint>
#include <optional>

#include <concerto/transport/http_message.hpp>

#include "message_lines.hpp"

namespace concerto::net {

/// What a message's fields say about its body and its connection (RFC 9112, sections 6 and 9).
struct MessageFraming {
  bool chunked = false;
  std::optional<std::uint64_t> length;  ///< never beside `chunked`
  bool keep_alive = true;               ///< the connection may serve another message
  unsigned host_count = 0;              ///< number of Host fields
};

/// Errors: bad_length, bad_transfer_encoding, unknown_transfer_coding.
error_code read_framing(MessageKind kind, int version, const HttpHeaders& headers,
                        MessageFraming& out) noexcept;

}  // namespace concerto::net
