#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include <concerto/base/counted.hpp>
#include <concerto/protocol/access_rules.hpp>
#include <concerto/transport/http_message.hpp>

#include "access/callers_file.hpp"
#include "access/jwks.hpp"
#include "access/jwt.hpp"

namespace concerto::net {
namespace {

using HashWords = std::array<std::uint64_t, 4>;

HashWords hash_words(const Sha256& hash) noexcept {
  return std::bit_cast<HashWords>(hash);
}

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

/// Compares with all hashes, and each time with the whole hash, without a branch, so that the time
/// says nothing about them. Returns the place of the last equal one; nothing if there is none.
std::optional<std::size_t> place_among(const HashWords& hash,
                                       const std::vector<HashWords>& hashes) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::uint64_t difference = 0;
    for (std::size_t k = 0; k < hash.size(); ++k) difference |= hash[k] ^ hashes[i][k];
    const std::uint64_t is_equal = ((difference | (0U - difference)) >> 63U) ^ 1U;
    const std::uint64_t mask = 0U - is_equal;
    found = (found & ~mask) | ((i + 1) & mask);
  }
  if (found == 0) return std::nullopt;
  return found - 1;
}

}  // namespace

struct AccessRules::Parts {
  const CallerLine* line_of(std::string_view token) const {
    const auto place = place_among(hash_words(sha256_of(token)), hashes);
    return place ? &tokens[*place] : nullptr;
  }

  std::vector<CallerLine> tokens;
  std::vector<HashWords> hashes;  ///< of the tokens
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
      if (line.proof == Proof::token) parts->hashes.push_back(hash_words(line.token_hash));
      (line.proof == Proof::token ? parts->tokens : parts->certificates).push_back(std::move(line));
    }
  }
  if (texts.jwks) {
    CONCERTO_TRY(parts->keys, read_jwks(*texts.jwks));
  }
  return std::shared_ptr<const AccessRules>{new AccessRules{std::move(parts)}};
}

Result<NamedCaller> AccessRules::caller_of_token(std::string_view token, WallTime now) const {
  const CallerLine* const found = parts_->line_of(token);
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

bool AccessRules::has_long_token(std::string_view token) const {
  constexpr std::size_t bytes_max = 1'024;  // limits the time for tokens that nobody has made
  return token.size() >= long_token_bytes && token.size() <= bytes_max &&
         parts_->line_of(token) != nullptr;
}

bool AccessRules::may_be_signed(std::string_view token, WallTime now) const {
  return !parts_->keys.empty() && lacks_only_proof(token, parts_->keys, parts_->jwt, now);
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
