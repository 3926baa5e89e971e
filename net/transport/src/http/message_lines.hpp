#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// Whether a message is a request or an answer. Requests are read strictly, because a proxy between
/// client and server might read a doubtful request differently. Answers are read as long as their
/// meaning is clear, because a service whose answer cannot be read would be called again for ever.
enum class MessageKind { request, response };

/// A request line. The views refer to the line.
struct RequestLine {
  std::string_view method;
  std::string_view target;
  int version = 11;  ///< 10 or 11
};

/// Errors: bad_start_line, bad_version, bad_target (empty, or with a control character).
error_code parse_request_line(std::string_view line, RequestLine& out) noexcept;

struct StatusLine {
  unsigned status = 0;
  int version = 11;
};

/// `HTTP/1.1 200 OK`, also without the reason and the blank before it.
/// Errors: bad_start_line, bad_version.
error_code parse_status_line(std::string_view line, StatusLine& out) noexcept;

/// True if a message can begin with these bytes. So a peer that speaks another protocol is
/// recognised at its first byte.
bool can_begin(MessageKind kind, std::string_view bytes) noexcept;

struct FieldLine {
  std::string_view name;
  std::string_view value;  ///< without the blanks around it
};

/// Splits `Name: value`. If the name in an answer is not legal, `name` is empty, and the line has
/// to be skipped. Errors: bad_field, bad_value.
error_code parse_field_line(MessageKind kind, std::string_view line, FieldLine& out) noexcept;

/// True if a field's value may have these bytes. In an answer everything is legal but NUL.
bool is_legal_value(MessageKind kind, std::string_view value) noexcept;

/// The size at the start of a chunk's first line. Extensions may follow, from `;` on, with blanks
/// before the `;` (RFC 9112, section 7.1.1). Without `;`, blanks after the size are legal in an
/// answer only. No value if the line is malformed.
std::optional<std::uint64_t> parse_chunk_size(MessageKind kind, std::string_view line) noexcept;

}  // namespace concerto::net
