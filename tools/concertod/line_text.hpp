#pragma once

#include <string>
#include <string_view>

namespace concerto::tools {

/// Any bytes as a JSON string on one line, whatever a branch or a client sent. Bytes that are not
/// UTF-8 become U+FFFD. Characters that are obeyed and not seen are escaped: control characters, C1
/// included, U+2028 and U+2029, and what changes the direction of the text around it.
std::string json_text(std::string_view text);

}  // namespace concerto::tools
