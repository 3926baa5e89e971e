#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/protocol/caller.hpp>

namespace concerto::net {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256_of(std::string_view bytes);

/// How a line of the file of callers recognizes a caller.
enum class Proof : std::uint8_t {
  token,        ///< `sha256:`, the SHA-256 of the token
  common_name,  ///< `cn:` of a certificate, as the following
  dns_name,     ///< `dns:`
  uri,          ///< `uri:`
  email,        ///< `email:`
  fingerprint,  ///< `cert-sha256:`
};

struct CallerLine {
  NamedCaller caller;
  Proof proof = Proof::token;
  Sha256 token_hash{};  ///< for Proof::token
  std::string value;    ///< for certificates
};

/// Reads the file of callers:
///
///     file:  { line "\n" }
///     line:  [ name roles proof [ "until=" date ] ] [ "#" comment ]
///     roles: role { "," role }; role: "client" | "viewer" | "operator"
///     proof: kind ":" value
///     date:  YYYY-MM-DD, the first day on which the token is not accepted (UTC)
///
/// An error names the line, and nothing of its content but a word that is neither a hash nor might
/// be a token.
Result<std::vector<CallerLine>> read_callers_file(std::string_view text);

}  // namespace concerto::net
