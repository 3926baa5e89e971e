#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// Base64 of RFC 4648 with padding.
CONCERTO_EXPORT std::string base64_encode(std::string_view bytes);

/// Decodes text with or without padding. Returns nullopt if the text is not base64.
CONCERTO_EXPORT std::optional<std::string> base64_decode(std::string_view text);

}  // namespace concerto
