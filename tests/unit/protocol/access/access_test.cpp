// Tokens and certificates of callers, and what the server remembers about them.

#include <ostream>

#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <concerto/protocol/authenticator.hpp>

#include "access/callers_file.hpp"
#include "access/sip_hash.hpp"
#include "fake_clock.hpp"
#include "jwt_maker.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using concerto::test::FakeClock;
using concerto::test::SeededRandom;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = Identity::Kind;

const RoleSet client_roles{RouteRole::clients};

std::string hex_hash(std::string_view token) {
  std::string text;
  for (const std::uint8_t byte : sha256_of(token)) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

std::string line(const char* name, const char* roles, std::string_view token,
                 const char* more = "") {
  return std::string{name} + " " + roles + " sha256:" + hex_hash(token) + " " + more + "\n";
}

struct FileCase {
  const char* name;
  std::string text;
  const char* told;  ///< or the number of callers
};
void PrintTo(const FileCase& row, std::ostream* out) {
  *out << row.name;
}
class CallersFile : public testing::TestWithParam<FileCase> {};

TEST_P(CallersFile, IsReadOrRefused) {
  const auto lines = read_callers_file(GetParam().text);
  const std::string verdict = lines ? std::to_string(lines->size()) : lines.error().detail;
  EXPECT_THAT(verdict, HasSubstr(GetParam().told));
  EXPECT_THAT(verdict, Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, CallersFile,
    testing::Values(
        FileCase{"Empty", "", "0"},
        FileCase{"Comments", "# callers\n\n  \t\r\n" + line("a", "client", "t", "# mine"), "1"},
        FileCase{"CommentInAWord", "a client uri:https://b/#x until=2027-01-31#x",
                 "a date is written as"},
        FileCase{"NoLineEnd", "a client dns:a.b.org", "1"},
        FileCase{"AllProofs",
                 "a client cn:a\nb viewer dns:b\nc operator uri:spiffe://c\nd client,viewer "
                 "email:d@e\ne client cert-sha256:" +
                     hex_hash("e") + "\n" + line("f", "client", "f", "until=2027-01-31"),
                 "6"},
        FileCase{"PlainToken", "a client secret", "line 1: the third word has to begin"},
        FileCase{"TokenForAHash", "a client sha256:secret", "line 1: a SHA-256 has 64"},
        FileCase{"SecondLine", "# x\na client\n", "line 2: expected a name"},
        FileCase{"UnknownRole", "a admin dns:a", "the roles are"},
        FileCase{"EmptyRole", "a client, dns:a", "the roles are"},
        FileCase{"NoDate", line("a", "client", "t", "until=secret"), "a date is written as"},
        FileCase{"NoSuchDay", line("a", "client", "t", "until=2027-02-30"), "a date is written as"},
        FileCase{"OtherWord", line("a", "client", "t", "secret"), "the fourth word"},
        FileCase{"FiveWords", line("a", "client", "t", "until=2027-01-31 secret"), "four words"},
        FileCase{"NothingToCompare", "a client cn:", "nothing follows"}),
    [](const auto& row) { return row.param.name; });

TEST(CallersFile, HasALimit) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "a client dns:a\n";
  EXPECT_TRUE(read_callers_file(text));
  EXPECT_FALSE(read_callers_file(text + "a client dns:a\n"));
}

PeerAddress peer(std::uint8_t last, std::uint8_t first = 0) {
  PeerAddress address;
  address.bytes[0] = first;
  address.bytes[10] = address.bytes[11] = first == 0 ? 0xff : 0;
  address.bytes[15] = last;
  address.port = 1000;
  return address;
}

class AccessTest : public testing::Test {
 protected:
  static std::shared_ptr<const AccessRules> rules_of(const std::string& callers) {
    AccessTexts texts;
    texts.callers = callers;
    return AccessRules::read(texts, {}).value();
  }

  Identity identify(std::string_view token, const PeerAddress& from = peer(1)) {
    return authenticator_.identify({token, nullptr}, from);
  }
  Kind kind(std::string_view token, const PeerAddress& from = peer(1)) {
    return identify(token, from).kind;
  }
  /// Sends wrong tokens until no more of them are looked at.
  void exhaust(const PeerAddress& from) {
    for (unsigned i = 0; i < WrongTokens::burst; ++i) {
      EXPECT_EQ(kind("wrong" + std::to_string(i), from), Kind::wrong_token);
    }
    EXPECT_EQ(kind("wrong", from), Kind::too_many_wrong);
  }

  FakeClock clock_;
  SeededRandom random_{1};
  CallerNames names_;
  std::vector<std::string> lines_;
  WrongTokens wrong_{clock_, [this](const std::string& text) { lines_.push_back(text); }};
  Authenticator authenticator_{rules_of(line("shop", "client", "token of shop")), names_, wrong_,
                               clock_, random_};
};

TEST_F(AccessTest, ATokenTellsWhoItIs) {
  const Identity identity = identify("token of shop");
  EXPECT_EQ(identity.kind, Kind::known);
  EXPECT_EQ(identity.caller.id.name(), "shop");
  EXPECT_EQ(identity.caller.roles, client_roles);
  EXPECT_EQ(identify("token of shop", peer(2)).caller.id, identity.caller.id);
  EXPECT_EQ(kind("Token of shop"), Kind::wrong_token);
  EXPECT_EQ(kind(""), Kind::no_credentials);
}

TEST_F(AccessTest, AnExpiredTokenIsWrongEvenIfItIsRemembered) {
  clock_.step_wall(WallTime{std::chrono::sys_days{std::chrono::year{2027} / 1 / 30}} -
                   clock_.wall_now());
  authenticator_.set_rules(rules_of(line("shop", "client", "t", "until=2027-01-31")));
  EXPECT_EQ(kind("t"), Kind::known);
  clock_.step_wall(24h - 1s);
  EXPECT_EQ(kind("t"), Kind::known);
  clock_.step_wall(1s);
  EXPECT_EQ(kind("t"), Kind::wrong_token);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("the token of shop has expired")));
}

TEST_F(AccessTest, NewRulesHoldForRememberedTokens) {
  EXPECT_EQ(kind("token of shop"), Kind::known);
  authenticator_.set_rules(rules_of(line("store", "viewer", "token of shop")));
  const Identity renamed = identify("token of shop");
  EXPECT_EQ(renamed.caller.id.name(), "store");
  EXPECT_EQ(renamed.caller.roles, (RoleSet{RouteRole::viewers}));
  authenticator_.set_rules(rules_of(""));
  EXPECT_EQ(kind("token of shop"), Kind::wrong_token) << "revoked";
}

TEST_F(AccessTest, WrongTokensAreLimitedForEachAddress) {
  exhaust(peer(1));
  EXPECT_EQ(kind("token of shop"), Kind::too_many_wrong) << "nobody learns that a guess was right";
  EXPECT_EQ(kind("token of shop", peer(2)), Kind::known);
  clock_.advance(WrongTokens::pause);
  EXPECT_EQ(kind("wrong"), Kind::wrong_token);
  EXPECT_EQ(kind("wrong"), Kind::too_many_wrong);
  EXPECT_EQ(wrong_.count(), WrongTokens::burst + 4);
}

TEST_F(AccessTest, TheLimitSparesThoseWhoWereRight) {
  EXPECT_EQ(kind("token of shop", peer(1)), Kind::known);
  EXPECT_EQ(kind("token of shop", peer(2)), Kind::known);
  exhaust(peer(1));
  EXPECT_EQ(kind("token of shop"), Kind::known);
  authenticator_.set_rules(rules_of(line("shop", "client", "token of shop")));
  EXPECT_EQ(kind("token of shop"), Kind::known) << "after a reload, too";
}

TEST_F(AccessTest, ATokenOfOthersIsAGuessLikeAnyOther) {
  EXPECT_EQ(kind("token of shop", peer(2)), Kind::known);
  exhaust(peer(1));
  EXPECT_EQ(kind("token of shop", peer(1)), Kind::too_many_wrong);
}

TEST_F(AccessTest, AnIpv6NetworkIsOneAddress) {
  exhaust(peer(1, 0x20));
  EXPECT_EQ(kind("wrong", peer(2, 0x20)), Kind::too_many_wrong);
  EXPECT_EQ(kind("wrong", peer(1, 0x21)), Kind::wrong_token);
}

TEST_F(AccessTest, TheOldestAddressIsForgottenWhenThereAreTooMany) {
  exhaust(peer(1));
  PeerAddress other = peer(2);
  for (std::size_t i = 0; i < WrongTokens::addresses_max; ++i) {
    other.bytes[13] = static_cast<std::uint8_t>(i >> 8U);
    other.bytes[14] = static_cast<std::uint8_t>(i & 0xffU);
    if (i + 1 == WrongTokens::addresses_max) {
      EXPECT_EQ(kind("wrong", peer(1)), Kind::too_many_wrong) << "not yet";
    }
    wrong_.note(other, "wrong");
  }
  EXPECT_EQ(kind("wrong", peer(1)), Kind::wrong_token);
}

TEST_F(AccessTest, WrongTokensAreLoggedOnceAMinuteWithoutTheToken) {
  exhaust(peer(1));
  EXPECT_THAT(lines_, ElementsAre(testing::AllOf(
                          HasSubstr("1 wrong token since"), HasSubstr("no file has such a token"),
                          HasSubstr("0.0.0.1:1000"), Not(HasSubstr("wrong0")))));
  clock_.advance(60s);
  EXPECT_EQ(kind("again"), Kind::wrong_token);
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_THAT(lines_[1], HasSubstr("20 wrong tokens since the last such line, and 1 more"));
}

TEST_F(AccessTest, ASignedTokenIsVerifiedOnceAndEndsAtItsTime) {
  const JwtIssuer old_key("EdDSA", "old"), new_key("EdDSA", "new");
  JwtRules jwt;
  jwt.issuer = "i";
  jwt.audience = "a";
  const auto rules_with = [&jwt](const std::string& keys) {
    AccessTexts texts;
    texts.jwks = jwk_set(keys);
    return AccessRules::read(texts, jwt).value();
  };
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch());
  const std::string claims = R"({"iss":"i","aud":"a","sub":"shop","roles":"client","exp":)" +
                             std::to_string(seconds.count() + 100) + "}";
  const std::string old_token = old_key.token(claims), new_token = new_key.token(claims);

  authenticator_.set_rules(rules_with(old_key.jwk()));
  EXPECT_EQ(kind(old_token), Kind::known);
  EXPECT_EQ(kind(new_token), Kind::wrong_token);
  authenticator_.set_rules(rules_with(old_key.jwk() + "," + new_key.jwk()));
  EXPECT_EQ(kind(old_token), Kind::known);
  EXPECT_EQ(kind(new_token), Kind::known) << "the keys change without a refused call";
  authenticator_.set_rules(rules_with(new_key.jwk()));
  EXPECT_EQ(kind(old_token), Kind::wrong_token);
  EXPECT_EQ(kind(new_token), Kind::known);
  clock_.step_wall(100s + jwt.clock_skew - 1ns);
  EXPECT_EQ(kind(new_token), Kind::known);
  clock_.step_wall(1ns);
  EXPECT_EQ(kind(new_token), Kind::wrong_token);
}

TEST_F(AccessTest, ACertificateTellsWhoItIs) {
  authenticator_.set_rules(
      rules_of("shop client dns:Shop.example\nshop-uri viewer uri:spiffe://b/shop\n"
               "ops operator cn:ops\nmail viewer email:a@b.org\nf client cert-sha256:" +
               hex_hash("f") + "\n" + line("token", "operator", "t")));
  const auto who = [this](const PeerCertificate& certificate) {
    return authenticator_.identify({{}, &certificate}, peer(1));
  };
  PeerCertificate certificate;
  EXPECT_EQ(who(certificate).kind, Kind::no_credentials);
  certificate.dns_names = {"other.example", "SHOP.example"};
  EXPECT_EQ(who(certificate).caller.roles, client_roles);
  certificate.uris = {"spiffe://b/shop"};
  EXPECT_EQ(who(certificate).caller.id.name(), "shop") << "the first line";
  EXPECT_EQ(who(certificate).caller.roles, (RoleSet{RouteRole::clients, RouteRole::viewers}));
  PeerCertificate of_ops;
  of_ops.common_name = "ops";
  EXPECT_EQ(who(of_ops).caller.roles, RoleSet::all());
  of_ops.common_name = "Ops";
  EXPECT_EQ(who(of_ops).kind, Kind::no_credentials);
  of_ops.dns_names = {"ops"};
  EXPECT_EQ(who(of_ops).kind, Kind::no_credentials) << "another field";
  of_ops.sha256 = hex_hash("f");
  EXPECT_EQ(who(of_ops).caller.id.name(), "f");
  EXPECT_EQ(authenticator_.identify({"wrong", &of_ops}, peer(1)).kind, Kind::wrong_token)
      << "a token counts alone";
}

TEST(CallerNames, HaveALimit) {
  CallerNames names;
  const CallerId first = names.id_of("0");
  for (std::size_t i = 1; i < CallerNames::names_max; ++i) names.id_of(std::to_string(i));
  EXPECT_EQ(names.id_of("one more").name(), "(others)");
  EXPECT_EQ(names.id_of("0"), first);
}

/// OpenSSL's SipHash of the same bytes.
std::string openssl_sip_hash(std::string_view key, std::string_view bytes, unsigned rounds,
                             unsigned end_rounds) {
  std::size_t size = 16;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &rounds),
                               OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &end_rounds),
                               OSSL_PARAM_construct_end()};
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  std::string result(16, '\0');
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  EXPECT_EQ(
      EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(key.data()), key.size(), params),
      1);
  EXPECT_EQ(EVP_MAC_update(context, data, bytes.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(result.data()), nullptr,
                          result.size()),
            1);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return result;
}

TEST(SipHash, IsThatOfOpenSsl) {
  const std::string key = "0123456789abcdef";
  std::array<std::uint64_t, 2> key_words{};
  std::memcpy(key_words.data(), key.data(), key.size());
  std::string bytes;
  for (int size = 0; size < 40; ++size, bytes += static_cast<char>(size * 7)) {
    const auto hash = SipHash<1, 3>{key_words}({}, bytes);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(hash.data()), 16),
              openssl_sip_hash(key, bytes, 1, 3))
        << size;
    std::uint64_t word = 0;
    if (bytes.size() < sizeof word) continue;
    std::memcpy(&word, bytes.data(), sizeof word);
    EXPECT_EQ((SipHash<1, 3>{key_words}({word}, std::string_view{bytes}.substr(sizeof word))), hash)
        << size;
  }
}

}  // namespace
}  // namespace concerto::net::test
