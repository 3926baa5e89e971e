#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace concerto::net::test {

/// base64url without padding.
std::string base64url(std::string_view bytes);

/// A pair of keys that signs JSON Web Tokens, as an issuer does.
class JwtIssuer {
 public:
  /// `algorithm` is RS256, ES256 or EdDSA.
  JwtIssuer(std::string algorithm, std::string id);

  /// The public key as a JWK. `more` has further members, such as `,"use":"sig"`.
  std::string jwk(std::string_view more = {}) const;
  /// A token with these claims, and the header that belongs to the key.
  std::string token(std::string_view claims) const;
  /// A token with any header. The signature is of this key and its algorithm.
  std::string token_with_header(std::string_view header, std::string_view claims) const;
  std::string header() const;
  /// The public key in PEM: the text that attackers use as the key of an HMAC.
  std::string public_pem() const;

 private:
  std::string signature(std::string_view text) const;

  std::string algorithm_;
  std::string id_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// `{"keys":[..]}` of JWKs with commas between them.
std::string jwk_set(std::string_view keys);

/// A token that is signed with an HMAC of `secret` (HS256).
std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret);

}  // namespace concerto::net::test
