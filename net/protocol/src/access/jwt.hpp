#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/protocol/access_rules.hpp>

#include "access/jwks.hpp"

namespace concerto::net {

inline constexpr std::size_t jwt_bytes_max = 16U << 10U;

/// Whether a token has the three parts of a signed JSON Web Token.
bool looks_like_jwt(std::string_view token) noexcept;

/// Whether a token has everything that `read_jwt` asks for, but perhaps not its signature. This
/// takes less time than to verify one.
bool lacks_only_proof(std::string_view token, const std::vector<JwtKey>& keys,
                      const JwtRules& rules, WallTime now);

/// Verifies a JSON Web Token (RFC 7519) in its compact form, with a signature of one of the keys.
/// `exp` and `sub` are required. The name of the caller is `jwt:<iss>/<sub>`, which no file of
/// callers can have. The error says what is wrong, without a part of the token that
/// nobody has signed.
Result<NamedCaller> read_jwt(std::string_view token, const std::vector<JwtKey>& keys,
                             const JwtRules& rules, WallTime now);

}  // namespace concerto::net
