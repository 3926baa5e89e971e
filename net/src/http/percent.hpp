#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concerto/net/http_message.hpp>

namespace concerto::net {

/// Undoes %XX. Nothing when an escape is broken. `plus_is_blank` for query parts.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);

/// Appends `text` as part of a query: unreserved characters as they are, a blank as +, the rest
/// as %XX (Go's url.QueryEscape).
void append_query_escaped(std::string& out, std::string_view text);

/// Decodes `a=1&b=2`. Pairs with a broken escape or a semicolon are left out, as in Go.
HttpRequest::Query decode_query(std::string_view text);

}  // namespace concerto::net
