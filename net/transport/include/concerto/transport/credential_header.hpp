#pragma once

#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto::net {

/// Whether the value of a header of this name is likely a credential: Authorization, Cookie,
/// X-Api-Key, and names with words such as `token` or `secret`. Case does not matter.
CONCERTO_EXPORT bool is_credential_header(std::string_view name) noexcept;

}  // namespace concerto::net
