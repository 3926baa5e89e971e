#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The byte that the escape `%XX` at `at` stands for; nothing if the escape is broken. All readers
/// of escapes use this function.
CONCERTO_EXPORT std::optional<char> escaped_byte(std::string_view text, std::size_t at) noexcept;

/// Appends the escape `%XX` of a byte.
CONCERTO_EXPORT void append_escape(std::string& out, char byte);

/// Decodes the escapes %XX. Returns nothing if an escape is broken. Use `plus_is_blank` for parts
/// of a query.
CONCERTO_EXPORT std::optional<std::string> percent_decode(std::string_view text,
                                                          bool plus_is_blank);

/// Decodes the escapes %XX in a path, except the escapes of `/` and `%`. So an encoded slash does
/// not become a slash (RFC 3986, section 2.2), and percent_decode() can decode each segment.
/// Returns nothing if an escape is broken, or stands for a letter, a digit, `-`, `.` or `_`, which
/// only somebody escapes who wants to get a path past the rules of a proxy.
CONCERTO_EXPORT std::optional<std::string> decode_path(std::string_view text);

/// Appends `text` as part of a query: unreserved characters unchanged, a blank as +, and all others
/// as %XX (like Go's url.QueryEscape).
CONCERTO_EXPORT void append_query_escaped(std::string& out, std::string_view text);

/// Decodes a query such as `a=1&b=2`. Pairs with a broken escape or a semicolon are left out, as in
/// Go.
CONCERTO_EXPORT HttpRequest::Query decode_query(std::string_view text);

}  // namespace concerto::net
