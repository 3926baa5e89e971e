#pragma once

#include <boost/system/error_code.hpp>

namespace concerto::net {

/// What a parser of HTTP/1.1 finds wrong with a message.
enum class MessageErrc {
  bad_start_line = 1,     ///< neither a request line nor a status line
  bad_version,            ///< HTTP, but not 1.x
  bad_target,             ///< the request's target has none of the forms that its method allows
  bad_line_end,           ///< CR within a line, or a chunk's line without CR LF
  bad_field,              ///< a header line without a colon, or with an illegal name
  bad_value,              ///< a control character in a field's value
  bad_host,               ///< no Host, several, or one that is not `name[:port]`
  bad_length,             ///< Content-Length is no number, several numbers, or beside chunked
  bad_transfer_encoding,  ///< the end of the body is unclear
  unknown_transfer_coding,
  unknown_content_coding,
  unknown_expectation,
  bad_chunk,
  header_too_large,
  too_many_fields,
  too_many_parameters,
  body_too_large,
  broken_gzip,
  no_room,     ///< the body was given up, because all bodies together take too much memory
  incomplete,  ///< the connection ended inside the message
};

const boost::system::error_category& message_category() noexcept;
boost::system::error_code make_error_code(MessageErrc code) noexcept;

}  // namespace concerto::net

template <>
struct boost::system::is_error_code_enum<concerto::net::MessageErrc> : std::true_type {};
