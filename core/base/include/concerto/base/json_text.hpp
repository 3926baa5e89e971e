#pragma once

#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// Appends a text as a JSON string, in quotes. The text is UTF-8, or the string is not JSON.
CONCERTO_EXPORT void append_json_string(std::string& out, std::string_view text);

}  // namespace concerto
