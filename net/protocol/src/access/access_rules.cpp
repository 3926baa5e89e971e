#include <algorithm>
#include <utility>
#include <vector>

#include <openssl/crypto.h>

#include <concerto/base/counted.hpp>
#include <concerto/protocol/access_rules.hpp>
#include <concerto/transport/http_message.hpp>

#include "access/callers_file.hpp"
#include "access/jwks.hpp"
#include "access/jwt.hpp"

namespace concerto::net {
namespace {

bool is_one_of(const std::string& value, const std::vector<std::string>& values) {
  return std::ranges::find(values, value) != values.end();
}

bool is_dns_name_of(const std::string& name, const PeerCertificate& certificate) {
  return std::ranges::any_of(certificate.dns_names, [&name](const std::string& other) {
    return equals_ignoring_case(name, other);
  });
}

bool fits(const CallerLine& line, const PeerCertificate& certificate) {
  switch (line.proof) {
    case Proof::token:
      return false;
    case Proof::common_name:
      return line.value == certificate.common_name;
    case Proof::dns_name:
      return is_dns_name_of(line.value, certificate);
    case Proof::uri:
      return is_one_of(line.value, certificate.uris);
    case Proof::email:
      return is_one_of(line.value, certificate.emails);
    case Proof::fingerprint:
      return line.value == certificate.sha256;
  }
  return false;
}

}  // namespace

struct AccessRules::Parts {
  std::vector<CallerLine> tokens;
  std::vector<CallerLine> certificates;
  std::vector<JwtKey> keys;
  JwtRules jwt;
};

AccessRules::AccessRules(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AccessRules::~AccessRules() = default;

Result<std::shared_ptr<const AccessRules>> AccessRules::read(const AccessTexts& texts,
                                                             JwtRules jwt) {
  auto parts = std::make_unique<Parts>();
  parts->jwt = std::move(jwt);
  if (texts.callers) {
    CONCERTO_TRY(auto lines, read_callers_file(*texts.callers));
    for (CallerLine& line : lines) {
      (line.proof == Proof::token ? parts->tokens : parts->certificates).push_back(std::move(line));
    }
  }
  if (texts.jwks) {
    CONCERTO_TRY(parts->keys, read_jwks(*texts.jwks));
  }
  return std::shared_ptr<const AccessRules>{new AccessRules{std::move(parts)}};
}

/// Compares with all hashes, and each time with the whole hash, so that the time says nothing about
/// them.
Result<NamedCaller> AccessRules::caller_of_token(std::string_view token, WallTime now) const {
  const Sha256 hash = sha256_of(token);
  const CallerLine* found = nullptr;
  for (const CallerLine& line : parts_->tokens) {
    if (CRYPTO_memcmp(hash.data(), line.token_hash.data(), hash.size()) == 0) found = &line;
  }
  if (found != nullptr) {
    if (now < found->caller.until) return found->caller;
    return make_error(Errc::invalid_request, "the token of " + found->caller.name + " has expired");
  }
  if (parts_->keys.empty() || !looks_like_jwt(token)) {
    return make_error(Errc::invalid_request, "no file has such a token");
  }
  auto caller = read_jwt(token, parts_->keys, parts_->jwt, now);
  if (!caller) caller.error().detail = "a JWT is not accepted: " + caller.error().detail;
  return caller;
}

std::optional<NamedCaller> AccessRules::caller_of_certificate(const PeerCertificate& certificate,
                                                              WallTime now) const {
  std::optional<NamedCaller> caller;
  for (const CallerLine& line : parts_->certificates) {
    if (now >= line.caller.until || !fits(line, certificate)) continue;
    if (caller) {
      caller->roles.add(line.caller.roles);
    } else {
      caller = line.caller;
    }
  }
  return caller;
}

std::string AccessRules::summary() const {
  return counted(parts_->tokens.size(), "token") + ", " +
         counted(parts_->certificates.size(), "certificate") + ", " +
         counted(parts_->keys.size(), "key");
}

}  // namespace concerto::net
