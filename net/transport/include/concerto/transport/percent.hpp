#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The byte that the escape `%XX` at `at` stands for; nothing when the escape is broken. All
/// readers of escapes are made of this.
std::optional<char> escaped_byte(std::string_view text, std::size_t at) noexcept;

/// Appends the escape `%XX` of a byte.
void append_escape(std::string& out, char byte);

/// Undoes %XX. Nothing when an escape is broken. `plus_is_blank` for query parts.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);

/// Undoes %XX in a path, except those of `/` and of `%` itself, so that an encoded slash is no
/// slash (RFC 3986, section 2.2) and percent_decode() finds what a segment was. Nothing when an
/// escape is broken.
std::optional<std::string> decode_path(std::string_view text);

/// Appends `text` as part of a query: unreserved characters as they are, a blank as +, the rest
/// as %XX (Go's url.QueryEscape).
void append_query_escaped(std::string& out, std::string_view text);

/// Decodes `a=1&b=2`. Pairs with a broken escape or a semicolon are left out, as in Go.
HttpRequest::Query decode_query(std::string_view text);

}  // namespace concerto::net
