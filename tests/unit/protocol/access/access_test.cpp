// Tokens and certificates of callers, and what the server remembers about them.

#include <ostream>

#include <gmock/gmock.h>

#include <concerto/protocol/authenticator.hpp>

#include "access/callers_file.hpp"
#include "caller_line.hpp"
#include "fake_clock.hpp"
#include "jwt_maker.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using concerto::test::FakeClock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = Identity::Kind;

const RoleSet client_roles{RouteRole::clients};

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
        FileCase{"NameOfATokensCaller", line("jwt:i/a", "client", "t"), "line 1: names that begin"},
        FileCase{"NameOfOthers", line("(other", "client", "t"), "line 1: names that begin"},
        FileCase{"SecondLine", "# x\na client\n", "line 2: expected a name"},
        FileCase{"UnknownRole", "a admin dns:a", "the roles are"},
        FileCase{"EmptyRole", "a client, dns:a", "the roles are"},
        FileCase{"EmptyToken", line("a", "client", ""), "line 1: the hash is that of a well-known"},
        FileCase{"TokenOfAnExample", line("b", "client", "b") + line("a", "client", "test2"),
                 "line 2: the hash is that of a well-known"},
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
  std::vector<std::string> lines_;
  CallerNames names_{[this](const std::string& text) { lines_.push_back(text); }};
  WrongTokens wrong_{clock_, [this](const std::string& text) { lines_.push_back(text); }};
  RightTokens right_{{1, 2}};
  Authenticator authenticator_{rules_of(line("shop", "client", "token of shop")), names_, wrong_,
                               right_, clock_};
  Authenticator other_shard_{rules_of(line("shop", "client", "token of shop")), names_, wrong_,
                             right_, clock_};
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

TEST_F(AccessTest, ARepeatedTokenCountsWithAllItsBytes) {
  const std::string token(200, 't');
  authenticator_.set_rules(rules_of(line("shop", "client", token)));
  EXPECT_EQ(kind(token), Kind::known);
  EXPECT_EQ(kind(token), Kind::known) << "remembered with its mark";
  EXPECT_EQ(kind(token), Kind::known) << "remembered with its text";
  for (const std::size_t place : {0U, 63U, 64U, 127U, 191U, 192U, 199U}) {
    std::string other = token;
    other[place] = 'u';
    EXPECT_EQ(kind(other), Kind::wrong_token) << place;
    EXPECT_EQ(kind(token), Kind::known);
  }
  EXPECT_EQ(kind(token.substr(1)), Kind::wrong_token);
  EXPECT_EQ(kind(token + "t"), Kind::wrong_token);
  authenticator_.set_rules(rules_of(""));
  EXPECT_EQ(kind(token), Kind::wrong_token) << "revoked";
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

TEST_F(AccessTest, TheLimitSparesThemOnEveryShard) {
  EXPECT_EQ(kind("token of shop"), Kind::known);
  exhaust(peer(1));
  EXPECT_EQ(other_shard_.identify({"token of shop", nullptr}, peer(1)).kind, Kind::known);
  other_shard_.set_rules(rules_of(""));
  EXPECT_EQ(other_shard_.identify({"token of shop", nullptr}, peer(1)).kind, Kind::wrong_token);
  other_shard_.set_rules(rules_of(line("shop", "client", "token of shop")));
  EXPECT_EQ(other_shard_.identify({"token of shop", nullptr}, peer(1)).kind, Kind::too_many_wrong)
      << "it was wrong last";
}

TEST_F(AccessTest, TheLimitSparesThemAtEveryAddressOfTheirNetwork) {
  EXPECT_EQ(kind("token of shop", peer(1, 0x20)), Kind::known);
  exhaust(peer(2, 0x20));
  EXPECT_EQ(kind("token of shop", peer(3, 0x20)), Kind::known);
  EXPECT_EQ(kind("another token", peer(3, 0x20)), Kind::too_many_wrong);
}

TEST_F(AccessTest, TheLimitSparesTokensThatNobodyCanGuess) {
  const std::string token(AccessRules::long_token_bytes, 't');
  authenticator_.set_rules(rules_of(line("first", "client", "u") + line("shop", "client", token) +
                                    line("last", "client", token + "u")));
  exhaust(peer(1));
  EXPECT_EQ(kind(token + "t"), Kind::too_many_wrong);
  EXPECT_EQ(kind(std::string(AccessRules::long_token_bytes, 'w')), Kind::too_many_wrong);
  EXPECT_EQ(kind("u"), Kind::too_many_wrong) << "short enough to be guessed";
  EXPECT_EQ(identify(token).caller.id.name(), "shop");
  EXPECT_EQ(identify(token + "u").caller.id.name(), "last");
  EXPECT_EQ(wrong_.count(), WrongTokens::burst + 4) << "a right token is no guess";
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

/// A key, the rules with it, and tokens that it has signed.
struct Issuer {
  std::shared_ptr<const AccessRules> rules() const {
    AccessTexts texts;
    texts.jwks = jwk_set(key.jwk());
    JwtRules jwt;
    jwt.issuer = "i";
    jwt.audience = "a";
    return AccessRules::read(texts, jwt).value();
  }
  static std::string claims(const std::string& subject, const Clock& clock,
                            std::chrono::seconds life = 100s) {
    const auto until =
        std::chrono::duration_cast<std::chrono::seconds>(clock.wall_now().time_since_epoch()) +
        life;
    return R"({"iss":"i","aud":"a","roles":"client","sub":")" + subject + R"(","exp":)" +
           std::to_string(until.count()) + "}";
  }

  JwtIssuer key{"EdDSA", "k"};
};

TEST_F(AccessTest, TheLimitSparesSignedTokensWithinABudget) {
  const Issuer issuer, forger;
  authenticator_.set_rules(issuer.rules());
  exhaust(peer(1));
  EXPECT_EQ(kind(issuer.key.token(issuer.claims("late", clock_, -1h))), Kind::too_many_wrong)
      << "it costs no check of a signature";
  EXPECT_EQ(kind(issuer.key.token(issuer.claims("shop", clock_))), Kind::known);
  const std::string forged = forger.key.token(issuer.claims("shop", clock_));
  for (unsigned i = 1; i < WrongTokens::extra_looks_per_second; ++i) {
    EXPECT_EQ(kind(forged), Kind::wrong_token);
  }
  EXPECT_EQ(kind(forged), Kind::too_many_wrong);
  EXPECT_EQ(kind(issuer.key.token(issuer.claims("store", clock_))), Kind::too_many_wrong);
  clock_.advance(1s);
  EXPECT_EQ(kind(issuer.key.token(issuer.claims("store", clock_))), Kind::known);
}

TEST_F(AccessTest, AFloodOfForgedTokensTakesNothingFromOtherAddresses) {
  const Issuer issuer, forger;
  authenticator_.set_rules(issuer.rules());
  exhaust(peer(1));
  exhaust(peer(2));
  const std::string forged = forger.key.token(issuer.claims("shop", clock_));
  for (unsigned i = 0; i < WrongTokens::extra_looks_per_second; ++i) {
    EXPECT_EQ(kind(forged, peer(1)), Kind::wrong_token);
  }
  for (unsigned i = 0; i < WrongTokens::all_extra_looks_per_second; ++i) {
    ASSERT_EQ(kind(forged, peer(1)), Kind::too_many_wrong);
  }
  EXPECT_EQ(kind(issuer.key.token(issuer.claims("shop", clock_)), peer(2)), Kind::known);
}

TEST_F(AccessTest, AllAddressesTogetherHaveALimitOfExtraLooks) {
  unsigned looks = 0;
  for (std::uint8_t from = 1; from <= 100; ++from) {
    wrong_.note(peer(from), "wrong");
    for (unsigned i = 0; i < WrongTokens::extra_looks_per_second; ++i) {
      if (wrong_.take_extra_look(peer(from))) ++looks;
    }
  }
  EXPECT_EQ(looks, WrongTokens::all_extra_looks_per_second);
  clock_.advance(1s);
  EXPECT_TRUE(wrong_.take_extra_look(peer(1)));
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

}  // namespace
}  // namespace concerto::net::test
