#include "access/jwt.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <concerto/base/json_tree.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t subject_bytes_max = 256;

Error bad_token(std::string_view what) {
  return make_error(Errc::invalid_request, std::string{what});
}

/// A part of a token, which is an object in JSON.
class Part {
 public:
  Result<> read(std::string_view encoded, std::string_view what) {
    auto decoded = base64url_decode(encoded);
    if (!decoded) return bad_token("the " + std::string{what} + " is not base64url");
    text_ = std::move(*decoded);
    if (!tree_.parse(text_) || !tree_.root().is(JsonKind::object)) {
      return bad_token("the " + std::string{what} + " is not a JSON object");
    }
    return ok();
  }
  std::optional<JsonValue> find(std::string_view name) const { return tree_.root().find(name); }
  JsonValue root() const { return tree_.root(); }

 private:
  std::string text_;
  JsonTree tree_;
};

std::string_view text_of(const std::optional<JsonValue>& value) {
  return value && value->is(JsonKind::text) ? value->text() : std::string_view{};
}

bool is_known_type(std::string_view type) noexcept {
  return equals_ignoring_case(type, "JWT") || equals_ignoring_case(type, "at+jwt") ||
         equals_ignoring_case(type, "application/at+jwt");
}

/// The key that a header names. A token without a kid fits only if there is one key.
Result<const JwtKey*> find_key(const Part& header, const std::vector<JwtKey>& keys) {
  if (header.find("crit")) return bad_token("it needs extensions (crit)");
  if (header.find("typ") && !is_known_type(text_of(header.find("typ")))) {
    return bad_token("its typ is neither JWT nor at+jwt");
  }
  const auto algorithm = jwt_algorithm(text_of(header.find("alg")));
  if (!algorithm) return bad_token("its alg is not RS256, ES256 or EdDSA");
  const auto id = header.find("kid");
  if (id && !id->is(JsonKind::text)) return bad_token("its kid is not a text");
  if (!id && keys.size() != 1) return bad_token("it names no key (kid), and there are several");
  const auto fits = [&](const JwtKey& key) {
    return key.algorithm == *algorithm && (!id || key.id == id->text());
  };
  const auto key = std::ranges::find_if(keys, fits);
  if (key == keys.end()) return bad_token("there is no key with its kid and alg");
  return &*key;
}

std::optional<double> number_of(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::integer:
      return static_cast<double>(value.integer());
    case JsonKind::natural:
      return static_cast<double>(value.natural());
    case JsonKind::fraction:
      return value.fraction();
    default:
      return std::nullopt;
  }
}

/// A time in seconds since 1970. Nothing if the claim is not such a number. Times that WallTime
/// does not have become its last one.
std::optional<WallTime> time_of(const std::optional<JsonValue>& claim) {
  constexpr double seconds_max = 9.0e9;
  const auto seconds = claim ? number_of(*claim) : std::nullopt;
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(std::floor(std::min(*seconds, seconds_max)));
  return WallTime{std::chrono::seconds{whole}};
}

/// The time until which the token is accepted.
Result<WallTime> check_times(const Part& claims, std::chrono::seconds skew, WallTime now) {
  const auto expires = time_of(claims.find("exp"));
  if (!expires) return bad_token("it has no time at which it expires (exp)");
  if (now >= *expires + skew) return bad_token("it has expired (exp)");
  if (claims.find("nbf")) {
    const auto begins = time_of(claims.find("nbf"));
    if (!begins) return bad_token("its nbf is not a time");
    if (now < *begins - skew) return bad_token("it is not valid yet (nbf)");
  }
  return *expires + skew;
}

bool is_for(const std::optional<JsonValue>& audience, std::string_view name) {
  if (!audience) return false;
  if (!audience->is(JsonKind::array)) return text_of(audience) == name;
  for (const JsonValue value : *audience) {
    if (value.is(JsonKind::text) && value.text() == name) return true;
  }
  return false;
}

/// The claim with this name, or the member `c` of the claim `b` of the claim `a` for `a.b.c`.
std::optional<JsonValue> find_claim(JsonValue object, std::string_view name) {
  for (;;) {
    if (!object.is(JsonKind::object)) return std::nullopt;
    if (const auto found = object.find(name)) return found;
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto inner = object.find(name.substr(0, dot));
    if (!inner) return std::nullopt;
    object = *inner;
    name.remove_prefix(dot + 1);
  }
}

RoleSet roles_in_text(std::string_view words) {
  RoleSet roles = {};
  while (!words.empty()) {
    const std::size_t size = std::min(words.find_first_of(" ,"), words.size());
    roles.add(roles_of_word(words.substr(0, size)));
    words.remove_prefix(std::min(size + 1, words.size()));
  }
  return roles;
}

/// A caller without roles is known, and refused wherever a role is needed.
RoleSet roles_in(const std::optional<JsonValue>& claim) {
  RoleSet roles = {};
  if (!claim) return roles;
  if (!claim->is(JsonKind::array)) return roles_in_text(text_of(claim));
  for (const JsonValue value : *claim) {
    if (value.is(JsonKind::text)) roles.add(roles_of_word(value.text()));
  }
  return roles;
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20U || byte == 0x7fU;
}

/// Logs have the subject, so it must not look like another line.
bool is_subject(std::string_view subject) {
  return !subject.empty() && subject.size() <= subject_bytes_max &&
         std::ranges::none_of(subject, is_control);
}

Result<NamedCaller> read_claims(const Part& claims, const JwtRules& rules, WallTime now) {
  CONCERTO_TRY(const WallTime until, check_times(claims, rules.clock_skew, now));
  if (text_of(claims.find("iss")) != rules.issuer)
    return bad_token("it is of another issuer (iss)");
  if (!is_for(claims.find("aud"), rules.audience)) {
    return bad_token("it is for another audience (aud)");
  }
  const std::string_view subject = text_of(claims.find("sub"));
  if (!is_subject(subject)) return bad_token("it has no name of a caller (sub)");
  return NamedCaller{"jwt:" + rules.issuer + "/" + std::string{subject},
                     roles_in(find_claim(claims.root(), rules.roles_claim)), until};
}

/// The parts of a token in the compact form.
struct TokenParts {
  std::string_view header, claims, signature;
  std::string_view signed_text;
};

Result<TokenParts> parts_of(std::string_view token) {
  if (token.size() > jwt_bytes_max) return bad_token("it is too long");
  if (!looks_like_jwt(token)) return bad_token("it does not have the three parts of a JWT");
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  return TokenParts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1), token.substr(0, second)};
}

Result<NamedCaller> read_claims_of(const TokenParts& parts, const JwtRules& rules, WallTime now) {
  Part claims;
  CONCERTO_CHECK(claims.read(parts.claims, "list of claims"));
  return read_claims(claims, rules, now);
}

}  // namespace

bool looks_like_jwt(std::string_view token) noexcept {
  return std::ranges::count(token, '.') == 2;
}

bool lacks_only_proof(std::string_view token, const std::vector<JwtKey>& keys,
                      const JwtRules& rules, WallTime now) {
  const auto parts = parts_of(token);
  Part header;
  return parts && header.read(parts->header, "header") && find_key(header, keys) &&
         read_claims_of(*parts, rules, now);
}

Result<NamedCaller> read_jwt(std::string_view token, const std::vector<JwtKey>& keys,
                             const JwtRules& rules, WallTime now) {
  CONCERTO_TRY(const TokenParts parts, parts_of(token));
  Part header;
  CONCERTO_CHECK(header.read(parts.header, "header"));
  CONCERTO_TRY(const JwtKey* const key, find_key(header, keys));
  const auto signature = base64url_decode(parts.signature);
  if (!signature || !is_signed(parts.signed_text, *signature, *key)) {
    return bad_token("its signature is wrong");
  }
  return read_claims_of(parts, rules, now);
}

}  // namespace concerto::net
