#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concerto {

/// Bytes of the UTF-8 sequence that `text` starts with; 0 if it starts with none. No surrogates,
/// no overlong forms, nothing above U+10FFFF.
std::size_t utf8_sequence_bytes(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in place of every byte that is not part of a UTF-8 sequence: what JSON may
/// carry, whatever a branch or a client has sent.
std::string to_utf8(std::string_view text);

}  // namespace concerto
