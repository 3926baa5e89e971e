#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// Length in bytes of the UTF-8 sequence at the start of `text`; 0 if there is none. Surrogates,
/// overlong forms and code points above U+10FFFF are not UTF-8.
CONCERTO_EXPORT std::size_t utf8_sequence_bytes(std::string_view text) noexcept;

CONCERTO_EXPORT bool is_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in place of every byte that is not part of a UTF-8 sequence, so that JSON can
/// carry any text that a branch or a client has sent.
CONCERTO_EXPORT std::string to_utf8(std::string_view text);

/// `to_utf8(text)` as one line that shows what it has. Characters that are obeyed and not seen
/// become their numbers, as `\u202e`: control characters, C1 included, the line separators U+2028
/// and U+2029, what changes the direction of the text around it, and what takes no room.
CONCERTO_EXPORT std::string visible_line(std::string_view text);

}  // namespace concerto
