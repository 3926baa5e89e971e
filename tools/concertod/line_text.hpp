#pragma once

#include <string>
#include <string_view>

namespace concerto::tools {

/// Any bytes as a JSON string on one line, whatever a branch or a client sent. Bytes that are not
/// UTF-8 become U+FFFD, and control characters, C1 included, are escaped.
std::string json_text(std::string_view text);

}  // namespace concerto::tools
