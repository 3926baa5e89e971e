#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// Who wrote a message. What a client sends is read strictly, as somebody between it and this
/// server may have read it otherwise; what a branch answers is read as long as its meaning is
/// clear, as a branch that cannot be understood is called again for ever.
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

/// Whether a message can begin with these bytes; so a peer that speaks another protocol is told
/// at its first byte.
bool can_begin(MessageKind kind, std::string_view bytes) noexcept;

struct FieldLine {
  std::string_view name;
  std::string_view value;  ///< without blanks around it
};

/// Splits `Name: value`. With an answer's name that is none, `name` is empty and the line is to be
/// passed over.
/// Errors: bad_field, bad_value.
error_code parse_field_line(MessageKind kind, std::string_view line, FieldLine& out) noexcept;

/// Whether the bytes may stand in a field's value. Of an answer only what could end a line is
/// refused.
bool is_legal_value(MessageKind kind, std::string_view value) noexcept;

/// The number at the start of a chunk's first line, which what `;` begins may follow. Blanks may
/// stand before the `;` (RFC 9112, section 7.1.1); without one, only in an answer.
/// Nothing when it is malformed.
std::optional<std::uint64_t> parse_chunk_size(MessageKind kind, std::string_view line) noexcept;

}  // namespace concerto::net
