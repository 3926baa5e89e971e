#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/protocol/caller.hpp>

namespace concerto::net {

/// Which JSON Web Tokens (RFC 7519) are accepted.
struct JwtRules {
  std::string issuer;    ///< `iss`
  std::string audience;  ///< `aud`, or one of its values
  /// The claim with the roles: a text or a list of texts. A member of a member is `a.b`.
  std::string roles_claim = "roles";
  /// How far the clock of the issuer may be from the clock here.
  std::chrono::seconds clock_skew{60};
};

/// The contents of the files that say who may call. Nothing: there is no such file.
struct AccessTexts {
  std::optional<std::string> callers;  ///< see docs/security.md for its form
  std::optional<std::string> jwks;     ///< RFC 7517
};

/// Who may call, and with which roles: the files of callers and of keys, as they were read.
/// Immutable, so any thread may use it.
class CONCERTO_EXPORT AccessRules {
 public:
  static constexpr std::size_t long_token_bytes = 32;

  /// Errors name the file's line or key, and never a token.
  static Result<std::shared_ptr<const AccessRules>> read(const AccessTexts& texts, JwtRules jwt);
  ~AccessRules();

  /// Whose token this is. The error's detail is for the log: it says what is wrong, without the
  /// token or a part of it.
  Result<NamedCaller> caller_of_token(std::string_view token, WallTime now) const;
  /// Whether the file of callers has this token, expired or not, and it has at least
  /// `long_token_bytes`, so that it cannot be guessed.
  bool has_long_token(std::string_view token) const;
  /// Whether only its signature decides whether this JSON Web Token is accepted.
  bool may_be_signed(std::string_view token, WallTime now) const;
  /// Whom the file of callers has for this certificate. If several of its lines fit, the caller has
  /// the roles of all of them, and the name of the first.
  std::optional<NamedCaller> caller_of_certificate(const PeerCertificate& certificate,
                                                   WallTime now) const;

  /// For the log: `3 tokens, 1 certificate, 2 keys`.
  std::string summary() const;

 private:
  struct Parts;
  explicit AccessRules(std::unique_ptr<Parts> parts);

  const std::unique_ptr<const Parts> parts_;
};

}  // namespace concerto::net
