// Which JSON Web Tokens are accepted.

#include "access/jwt.hpp"

#include <ostream>

#include <gmock/gmock.h>

#include "jwt_maker.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr WallTime now{1'000'000'000s};

/// The keys of the tests. RSA keys take long to make, so all tests have the same ones.
struct Issuers {
  JwtIssuer rsa{"RS256", "r"}, ec{"ES256", "e"}, ed{"EdDSA", "d"}, stranger{"EdDSA", "d"};
  std::vector<JwtKey> all = read_jwks(jwk_set(rsa.jwk() + "," + ec.jwk() + "," + ed.jwk())).value();
};
const Issuers& issuers() {
  static const Issuers made;
  return made;
}

JwtRules rules() {
  JwtRules result;
  result.issuer = "https://issuer";
  result.audience = "concerto";
  return result;
}

std::string claims(std::string_view more) {
  return std::string{R"({"iss":"https://issuer","aud":"concerto","sub":"shop")"}.append(more) + "}";
}
std::string good_claims() {
  return claims(R"(,"exp":1000000100,"roles":["client"])");
}

/// Why a token is not accepted; `accepted` if it is.
std::string verdict(const std::string& token, const std::vector<JwtKey>& keys = issuers().all) {
  const auto caller = read_jwt(token, keys, rules(), now);
  return caller ? "accepted" : caller.error().detail;
}

TEST(Jwt, IsAcceptedWithEachAlgorithm) {
  for (const JwtIssuer* issuer : {&issuers().rsa, &issuers().ec, &issuers().ed}) {
    const auto caller = read_jwt(issuer->token(good_claims()), issuers().all, rules(), now);
    ASSERT_TRUE(caller) << caller.error().detail;
    EXPECT_EQ(caller->name, "jwt:https://issuer/shop");
    EXPECT_EQ(caller->roles, (RoleSet{RouteRole::clients}));
    EXPECT_EQ(caller->until, WallTime{1'000'000'100s} + rules().clock_skew);
  }
}

// RFC 7515, appendix A.3, and RFC 8037, appendix A.4.
TEST(Jwt, SignaturesOfTheSpecificationsAreRight) {
  const auto keys = read_jwks(jwk_set(
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
  ASSERT_TRUE(keys) << keys.error().detail;
  EXPECT_TRUE(is_signed(
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
      "NvbS9pc19yb290Ijp0cnVlfQ",
      *base64url_decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ"
                        "qPP3-Kg6NU1Q"),
      keys->at(0)));
  EXPECT_TRUE(
      is_signed("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                *base64url_decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
                                  "hVsPt9g7sVvpAr_MuM0KAg"),
                keys->at(1)));
}

TEST(Jwt, IsRefusedWithoutASignature) {
  for (const char* alg : {"none", "None", "NONE", ""}) {
    const std::string header = std::string{R"({"alg":")"} + alg + R"(","kid":"r"})";
    const std::string text = base64url(header) + "." + base64url(good_claims()) + ".";
    EXPECT_THAT(verdict(text), HasSubstr("alg is not RS256, ES256 or EdDSA")) << alg;
  }
  const std::string token = issuers().ed.token(good_claims());
  EXPECT_THAT(verdict(token.substr(0, token.rfind('.') + 1)), HasSubstr("signature is wrong"));
}

// The public key of RS256 is known to everybody, so it must not be the secret of an HMAC.
TEST(Jwt, IsRefusedWithAnHmacOfAPublicKey) {
  const std::string pem = issuers().rsa.public_pem();
  const std::string as_hmac = hmac_token(R"({"alg":"HS256","kid":"r"})", good_claims(), pem);
  EXPECT_THAT(verdict(as_hmac), HasSubstr("alg is not"));
  const std::string as_rsa = hmac_token(R"({"alg":"RS256","kid":"r"})", good_claims(), pem);
  EXPECT_THAT(verdict(as_rsa), HasSubstr("signature is wrong"));
}

TEST(Jwt, IsRefusedWithTheAlgorithmOfAnotherKey) {
  const JwtIssuer& ed = issuers().ed;
  const auto with = [&ed](const char* header) {
    return verdict(ed.token_with_header(header, good_claims()));
  };
  EXPECT_THAT(with(R"({"alg":"EdDSA","kid":"r"})"), HasSubstr("no key with its kid and alg"));
  EXPECT_THAT(with(R"({"alg":"RS256","kid":"d"})"), HasSubstr("no key with its kid and alg"));
  EXPECT_THAT(with(R"({"alg":"EdDSA","kid":"e"})"), HasSubstr("no key with its kid and alg"));
}

TEST(Jwt, IsRefusedWithTheKeyOfAStranger) {
  EXPECT_THAT(verdict(issuers().stranger.token(good_claims())), HasSubstr("signature is wrong"));
  const std::string header = R"({"alg":"EdDSA","kid":"d","jwk":)" + issuers().stranger.jwk() + "}";
  EXPECT_THAT(verdict(issuers().stranger.token_with_header(header, good_claims())),
              HasSubstr("signature is wrong"))
      << "the token brings its own key";
}

TEST(Jwt, IsRefusedIfOneCharacterIsAnother) {
  const std::string token = issuers().ec.token(good_claims());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'B' ? 'C' : 'B';
    EXPECT_NE(verdict(changed), "accepted") << i;
  }
}

struct HeaderCase {
  const char* name;
  const char* header;
  const char* told;
};
void PrintTo(const HeaderCase& row, std::ostream* out) {
  *out << row.name;
}
class JwtHeader : public testing::TestWithParam<HeaderCase> {};

TEST_P(JwtHeader, Decides) {
  const std::string token = issuers().ed.token_with_header(GetParam().header, good_claims());
  EXPECT_THAT(verdict(token), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, JwtHeader,
    testing::Values(
        HeaderCase{"Plain", R"({"alg":"EdDSA","kid":"d"})", "accepted"},
        HeaderCase{"AccessToken", R"({"alg":"EdDSA","kid":"d","typ":"at+JWT"})", "accepted"},
        HeaderCase{"OtherType", R"({"alg":"EdDSA","kid":"d","typ":"logout+jwt"})", "typ"},
        HeaderCase{"Extension", R"({"alg":"EdDSA","kid":"d","crit":["b64"],"b64":false})", "crit"},
        HeaderCase{"NoKeyId", R"({"alg":"EdDSA"})", "names no key"},
        HeaderCase{"KeyIdIsANumber", R"({"alg":"EdDSA","kid":1})", "kid is not a text"},
        HeaderCase{"NoAlgorithm", R"({"kid":"d"})", "alg is not"},
        HeaderCase{"NoObject", R"(["EdDSA"])", "header is not a JSON object"},
        HeaderCase{"NoJson", "EdDSA", "header is not a JSON object"}),
    [](const auto& row) { return row.param.name; });

TEST(Jwt, NeedsNoKeyIdIfThereIsOneKey) {
  const auto keys = read_jwks(jwk_set(issuers().ed.jwk()));
  EXPECT_EQ(verdict(issuers().ed.token_with_header(R"({"alg":"EdDSA"})", good_claims()), *keys),
            "accepted");
}

TEST(Jwt, NeedsThreePartsInTheOnlySpelling) {
  const std::string token = issuers().ed.token(good_claims());
  EXPECT_NE(verdict(token + "="), "accepted");
  EXPECT_NE(verdict(token + ".x"), "accepted");
  EXPECT_NE(verdict(" " + token), "accepted");
  EXPECT_NE(verdict(""), "accepted");
  EXPECT_NE(verdict(".."), "accepted");
  EXPECT_THAT(verdict(std::string(jwt_bytes_max + 1, '.')), HasSubstr("too long"));
}

struct ClaimCase {
  const char* name;
  std::string claims;
  const char* told;
};
void PrintTo(const ClaimCase& row, std::ostream* out) {
  *out << row.name;
}
class JwtClaims : public testing::TestWithParam<ClaimCase> {};

TEST_P(JwtClaims, Decide) {
  EXPECT_THAT(verdict(issuers().ed.token(GetParam().claims)), HasSubstr(GetParam().told));
}

constexpr const char* no_expiry = "has no time at which it expires";

INSTANTIATE_TEST_SUITE_P(
    Rows, JwtClaims,
    testing::Values(
        ClaimCase{"Good", good_claims(), "accepted"},
        ClaimCase{"ExpiredWithinTheSkew", claims(R"(,"exp":999999941)"), "accepted"},
        ClaimCase{"Expired", claims(R"(,"exp":999999940)"), "has expired"},
        ClaimCase{"ExpiryIsAFraction", claims(R"(,"exp":1000000100.5)"), "accepted"},
        ClaimCase{"ExpiryIsHuge", claims(R"(,"exp":1e300)"), "accepted"},
        ClaimCase{"ExpiryIsAText", claims(R"(,"exp":"1000000100")"), no_expiry},
        ClaimCase{"ExpiryIsNegative", claims(R"(,"exp":-1)"), no_expiry},
        ClaimCase{"NoExpiry", claims(""), no_expiry},
        ClaimCase{"Begins", claims(R"(,"exp":1000000100,"nbf":1000000060)"), "accepted"},
        ClaimCase{"NotYetValid", claims(R"(,"exp":1000000100,"nbf":1000000061)"), "not valid yet"},
        ClaimCase{"BeginIsAText", claims(R"(,"exp":1000000100,"nbf":"0")"), "nbf is not a time"},
        ClaimCase{"OtherIssuer", R"({"iss":"x","aud":"concerto","sub":"s","exp":1000000100})",
                  "another issuer"},
        ClaimCase{"NoIssuer", R"({"aud":"concerto","sub":"s","exp":1000000100})", "another issuer"},
        ClaimCase{"OtherAudience",
                  R"({"iss":"https://issuer","aud":"bank","sub":"s","exp":1000000100})",
                  "another audience"},
        ClaimCase{"NoAudience", R"({"iss":"https://issuer","sub":"s","exp":1000000100})",
                  "another audience"},
        ClaimCase{"OneOfTheAudiences",
                  R"({"iss":"https://issuer","aud":[1,"a","concerto"],"sub":"s","exp":1000000100})",
                  "accepted"},
        ClaimCase{"NoneOfTheAudiences",
                  R"({"iss":"https://issuer","aud":["a"],"sub":"s","exp":1000000100})",
                  "another audience"},
        ClaimCase{"NoName", R"({"iss":"https://issuer","aud":"concerto","exp":1000000100})",
                  "no name of a caller"},
        ClaimCase{"NameWithALineBreak",
                  R"({"iss":"https://issuer","aud":"concerto","sub":"a\nb","exp":1000000100})",
                  "no name of a caller"},
        ClaimCase{"LastOfTwoSubjects", claims(R"(,"exp":1000000100,"sub":"")"),
                  "no name of a caller"},
        ClaimCase{"NoObject", "[]", "list of claims is not a JSON object"}),
    [](const auto& row) { return row.param.name; });

struct RoleClaimCase {
  const char* name;
  const char* claim;
  const char* members;
  RoleSet roles;
};
void PrintTo(const RoleClaimCase& row, std::ostream* out) {
  *out << row.name;
}
class JwtRoles : public testing::TestWithParam<RoleClaimCase> {};

TEST_P(JwtRoles, AreInTheClaim) {
  JwtRules with_claim = rules();
  with_claim.roles_claim = GetParam().claim;
  const std::string token =
      issuers().ed.token(claims(std::string{R"(,"exp":1000000100,)"} + GetParam().members));
  const auto caller = read_jwt(token, issuers().all, with_claim, now);
  ASSERT_TRUE(caller) << caller.error().detail;
  EXPECT_EQ(caller->roles, GetParam().roles);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, JwtRoles,
    testing::Values(
        RoleClaimCase{"List", "roles", R"("roles":["viewer","other",1])", {RouteRole::viewers}},
        RoleClaimCase{"Text",
                      "scope",
                      R"("scope":"openid client viewer")",
                      {RouteRole::clients, RouteRole::viewers}},
        RoleClaimCase{"Operator", "roles", R"("roles":"operator")", RoleSet::all()},
        RoleClaimCase{"Inner",
                      "realm_access.roles",
                      R"("realm_access":{"roles":["client"]})",
                      {RouteRole::clients}},
        RoleClaimCase{"NameWithDots",
                      "https://a.b/roles",
                      R"("https://a.b/roles":["client"])",
                      {RouteRole::clients}},
        RoleClaimCase{"OtherClaim", "roles", R"("groups":["operator"])", {}},
        RoleClaimCase{"OtherCase", "roles", R"("roles":["Operator"])", {}},
        RoleClaimCase{"Object", "roles", R"("roles":{"operator":true})", {}}),
    [](const auto& row) { return row.param.name; });

struct JwksCase {
  const char* name;
  std::string text;
  const char* told;  ///< or the number of keys
};
void PrintTo(const JwksCase& row, std::ostream* out) {
  *out << row.name;
}
class Jwks : public testing::TestWithParam<JwksCase> {};

TEST_P(Jwks, AreReadOrRefused) {
  const auto keys = read_jwks(GetParam().text);
  EXPECT_THAT(keys ? std::to_string(keys->size()) : keys.error().detail,
              HasSubstr(GetParam().told));
}

std::string with_weak_key() {
  return jwk_set(R"({"kty":"RSA","n":")" + base64url(std::string(128, '\x99')) +
                 R"(","e":"AQAB"})");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Jwks,
    testing::Values(
        JwksCase{"Three",
                 jwk_set(issuers().rsa.jwk() + "," + issuers().ec.jwk() + "," +
                         issuers().ed.jwk(R"(,"use":"sig","alg":"EdDSA")")),
                 "3"},
        JwksCase{"OthersAreLeftOut",
                 jwk_set(issuers().ed.jwk() + "," + issuers().rsa.jwk(R"(,"use":"enc")") + "," +
                         issuers().rsa.jwk(R"(,"alg":"PS256")") + R"(,{"kty":"new"})"),
                 "1"},
        JwksCase{"NoneIsLeft", jwk_set(issuers().rsa.jwk(R"(,"use":"enc")")), "there is no key"},
        JwksCase{"Empty", jwk_set(""), "there is no key"},
        JwksCase{"Private", jwk_set(issuers().ed.jwk(R"(,"d":"AAAA")")), "key 1 is private"},
        JwksCase{"Secret", jwk_set(R"({"kty":"oct","k":"AAAA"})"), "key 1 is private or secret"},
        JwksCase{"Weak", with_weak_key(), "not a sound public key"},
        JwksCase{"NotOnTheCurve",
                 jwk_set(R"({"kty":"EC","crv":"P-256","x":")" + base64url(std::string(32, 'x')) +
                         R"(","y":")" + base64url(std::string(32, 'y')) + R"("})"),
                 "not a sound public key"},
        JwksCase{"TwoWithOneId", jwk_set(issuers().ed.jwk() + "," + issuers().stranger.jwk()),
                 "key 2 has the kid"},
        JwksCase{"NoList", R"({"keys":{}})", "an array 'keys'"}, JwksCase{"NoJson", "keys", ""}),
    [](const auto& row) { return row.param.name; });

TEST(Base64url, HasOneSpelling) {
  EXPECT_EQ(base64url_decode("_-8"), "\xff\xef");
  for (const char* text : {"_-8=", "/+8", "_-9", "_", "_-8\n", "_ -8"}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
}

}  // namespace
}  // namespace concerto::net::test
