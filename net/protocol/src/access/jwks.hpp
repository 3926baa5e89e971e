#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// The algorithms of signatures that are accepted. All of them have a public key. So a token that
/// is signed with an HMAC, or not at all, has no algorithm here, whatever the keys are.
enum class JwtAlgorithm : std::uint8_t { rs256, es256, eddsa };

/// `RS256`, `ES256`, `EdDSA` (RFC 7518, section 3.1; RFC 8037). Nothing for any other name.
std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept;

/// The bytes of base64url without padding, in its only spelling (RFC 7515, section 2).
std::optional<std::string> base64url_decode(std::string_view text);

/// A public key. It is used with one algorithm only, which the key decides and not the token.
struct JwtKey {
  std::string id;  ///< `kid`; may be empty
  JwtAlgorithm algorithm = JwtAlgorithm::rs256;
  std::shared_ptr<EVP_PKEY> key;
};

/// The keys of a JWK set (RFC 7517) that signatures may be verified with. Other keys are left out.
/// It is an error if no key is left, if a key is private or weak, or if two keys with one algorithm
/// have the same id.
Result<std::vector<JwtKey>> read_jwks(std::string_view text);

/// Whether the signature of `signed_text` is right.
bool is_signed(std::string_view signed_text, std::string_view signature, const JwtKey& key);

}  // namespace concerto::net
