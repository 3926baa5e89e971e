#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <concerto/transport/target_guard.hpp>

namespace concerto::net {
namespace {

TargetPlace place(std::string_view host, std::uint16_t port = 80,
                  std::string_view scheme = "http") {
  TargetPlace place;
  place.scheme = scheme;
  place.host = host;
  place.port = port;
  return place;
}

boost::asio::ip::address address(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

TargetPolicy make(std::string_view allow, std::string_view deny = TargetPolicy::standard_deny) {
  auto policy = TargetPolicy::make(allow, deny);
  EXPECT_TRUE(policy) << policy.error().detail;
  return policy ? *policy : TargetPolicy();
}

struct HostCase {
  const char* name;
  const char* host;
  const char* rule = "link-local";  ///< of TargetDeny; null if the host is not refused
};
void PrintTo(const HostCase& row, std::ostream* out) {
  *out << row.name;
}

/// What the default says of a host before its look-up.
class StandardTargets : public testing::TestWithParam<HostCase> {};

TEST_P(StandardTargets, AreRefusedInEverySpelling) {
  const auto& [name, host, rule] = GetParam();
  for (const bool is_looked_up_elsewhere : {false, true}) {
    const TargetPolicy policy;
    const auto checked =
        is_looked_up_elsewhere ? policy.check_unresolved(place(host)) : policy.check(place(host));
    ASSERT_EQ(checked.has_value(), rule == nullptr);
    if (rule == nullptr) continue;
    const bool needs_brackets = std::string_view(host).find(':') != std::string_view::npos;
    const std::string shown = needs_brackets ? "[" + std::string(host) + "]" : host;
    EXPECT_EQ(checked.error().detail,
              "target http://" + shown + ":80 is refused: TargetDeny has '" + rule + "'");
    EXPECT_EQ(checked.error().code, Errc::invalid_request);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, StandardTargets,
    testing::Values(
        HostCase{"Dotted", "169.254.169.254", "metadata"}, HostCase{"Neighbour", "169.254.1.1"},
        HostCase{"Decimal", "2852039166", "metadata"}, HostCase{"Hex", "0xa9fea9fe", "metadata"},
        HostCase{"HexUpper", "0XA9FEA9FE", "metadata"},
        HostCase{"HexParts", "0xa9.0xfe.0xa9.0xfe", "metadata"},
        HostCase{"Octal", "0251.0376.0251.0376", "metadata"},
        HostCase{"OctalLong", "0000251.0376.0251.0376", "metadata"},
        HostCase{"OctalWhole", "025177524776", "metadata"},
        HostCase{"Mixed", "169.0xfe.0251.254", "metadata"},
        HostCase{"TwoParts", "169.16689662", "metadata"},
        HostCase{"ThreeParts", "169.254.43518", "metadata"},
        HostCase{"LastDot", "169.254.169.254.", "metadata"},
        HostCase{"DecimalLastDot", "2852039166.", "metadata"},
        HostCase{"Mapped", "::ffff:169.254.169.254", "metadata"},
        HostCase{"MappedHex", "::ffff:a9fe:a9fe", "metadata"},
        HostCase{"MappedLong", "0:0:0:0:0:FFFF:A9FE:A9FE", "metadata"},
        HostCase{"MappedZone", "::ffff:169.254.169.254%eth0", "metadata"},
        HostCase{"Compatible", "::169.254.169.254", "metadata"},
        HostCase{"Translated", "::ffff:0:169.254.169.254", "metadata"},
        HostCase{"Nat64", "64:ff9b::169.254.169.254", "metadata"},
        HostCase{"Nat64Own", "64:ff9b:1::a9fe:a9fe", "metadata"},
        HostCase{"Nat64Own48", "64:ff9b:1:a9fe:a9:fe00::", "metadata"},
        HostCase{"Nat64Own56", "64:ff9b:1:a9:fe:a9fe::", "metadata"},
        HostCase{"Nat64Own64", "64:ff9b:1:0:a9:fea9:fe00:0", "metadata"},
        HostCase{"SixToFour", "2002:a9fe:a9fe::1", "metadata"},
        HostCase{"TeredoPeer", "2001:0:102:304::5601:5601", "metadata"},
        HostCase{"TeredoServer", "2001:0:a9fe:a9fe::", "metadata"},
        HostCase{"Isatap", "2001:db8::5efe:169.254.169.254", "metadata"},
        HostCase{"LinkLocal6", "fe80::1"}, HostCase{"Zone", "fe80::1%eth0"},
        HostCase{"EncodedZone", "fe80::1%25eth0"}, HostCase{"LastOfLinkLocal6", "febf::1"},
        HostCase{"Aws6", "fd00:ec2::254", "metadata"},
        HostCase{"Aws6Long", "fd00:0ec2:0:0:0:0:0:254", "metadata"},
        HostCase{"Google6", "fd20:ce::254", "metadata"},
        HostCase{"Alibaba", "100.100.100.200", "metadata"},
        HostCase{"Azure", "168.63.129.16", "metadata"},
        HostCase{"Oracle", "192.0.0.192", "metadata"},
        HostCase{"GoogleName", "metadata.google.internal", "metadata"},
        HostCase{"GoogleNameUpper", "Metadata.Google.Internal.", "metadata"},
        HostCase{"Unspecified", "0.0.0.0", "unspecified"},
        HostCase{"UnspecifiedShort", "0", "unspecified"},
        HostCase{"UnspecifiedNet", "0.0.0.1", "unspecified"},
        HostCase{"Unspecified6", "::", "unspecified"},
        HostCase{"Unspecified6Mapped", "::ffff:0.0.0.0", "unspecified"},
        HostCase{"Multicast", "224.0.0.1", "multicast"},
        HostCase{"LastOfMulticast", "239.255.255.255", "multicast"},
        HostCase{"Multicast6", "ff02::1", "multicast"},
        HostCase{"Broadcast", "255.255.255.255", "broadcast"},
        HostCase{"BroadcastShort", "0xffffffff", "broadcast"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OtherHosts, StandardTargets,
    testing::Values(
        HostCase{"Loopback", "127.0.0.1", nullptr}, HostCase{"LoopbackShort", "127.1", nullptr},
        HostCase{"Loopback6", "::1", nullptr}, HostCase{"Private", "10.254.169.254", nullptr},
        HostCase{"Private6", "fd00::254", nullptr}, HostCase{"Public", "93.184.216.34", nullptr},
        HostCase{"Before", "169.253.255.255", nullptr}, HostCase{"After", "169.255.0.0", nullptr},
        HostCase{"BeforeMulticast", "223.255.255.255", nullptr},
        HostCase{"AfterMulticast", "240.0.0.1", nullptr}, HostCase{"Public6", "2600::1", nullptr},
        HostCase{"Nat64OfPublic", "64:ff9b::8.8.8.8", nullptr},
        HostCase{"Nat64OwnOfPublic", "64:ff9b:1::8.8.8.8", nullptr},
        HostCase{"Name", "b.org", nullptr}, HostCase{"NameWithoutDots", "stock", nullptr},
        HostCase{"NameOfDigits", "169.254.169.254.b.org", nullptr},
        HostCase{"NotOctal", "0259.0376.0251.0376", nullptr},
        HostCase{"FiveParts", "169.254.169.254.1", nullptr},
        HostCase{"TooLarge", "4294967296", nullptr},
        HostCase{"TwoDots", "169.254.169.254..", nullptr},
        HostCase{"NameBelow", "x.metadata.google.internal", nullptr},
        HostCase{"NameBeside", "notmetadata.goog", nullptr}),
    [](const auto& row) { return row.param.name; });

TEST(TargetPolicyTest, RefusesNamesByTheirAddresses) {
  const TargetPolicy policy;
  for (const char* text : {"169.254.169.254", "fe80::1%1", "::ffff:169.254.169.254", "0.0.0.0"}) {
    const auto checked = policy.check(place("b.org"), address(text));
    ASSERT_FALSE(checked) << text;
    EXPECT_NE(checked.error().detail.find(
                  "target http://b.org:80 is refused: TargetDeny has the address "),
              std::string::npos)
        << checked.error().detail;
    // A guard tells it to operators only.
    std::string told;
    const TargetGuard guard{policy, [&told](const std::string& why) { told = why; }};
    const auto shown = guard.check(place("b.org"), address(text));
    ASSERT_FALSE(shown) << text;
    EXPECT_EQ(shown.error().detail,
              "target http://b.org:80 is refused by TargetAllow or TargetDeny");
    EXPECT_EQ(told, checked.error().detail);
  }
  EXPECT_TRUE(policy.check(place("b.org"), address("10.0.0.1")));
  EXPECT_TRUE(policy.check(place("127.1"), address("127.0.0.1")));
}

struct RuleCase {
  const char* name;
  const char* allow;
  TargetPlace target;
  bool allowed;
};
void PrintTo(const RuleCase& row, std::ostream* out) {
  *out << row.name;
}

class TargetRules : public testing::TestWithParam<RuleCase> {};

TEST_P(TargetRules, AllowWhatTheyName) {
  const auto& row = GetParam();
  const auto checked = make(row.allow).check_unresolved(row.target);
  EXPECT_EQ(checked.has_value(), row.allowed);
  if (checked) return;
  EXPECT_NE(checked.error().detail.find("TargetAllow does not have it"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TargetRules,
    testing::Values(RuleCase{"Name", "b.org", place("b.org"), true},
                    RuleCase{"NameAbsolute", "b.org", place("B.ORG."), true},
                    RuleCase{"RuleAbsolute", "b.org.", place("b.org"), true},
                    RuleCase{"NameOfAnother", "b.org", place("a.b.org"), false},
                    RuleCase{"Below", ".b.org", place("a.b.org"), true},
                    RuleCase{"BelowStar", "*.b.org", place("x.a.b.org"), true},
                    RuleCase{"BelowIsNotItself", ".b.org", place("b.org"), false},
                    RuleCase{"BelowNeedsTheDot", ".b.org", place("evilb.org"), false},
                    RuleCase{"Suffix", "b.org", place("b.org.evil.com"), false},
                    RuleCase{"Scheme", "https://b.org", place("b.org", 443, "https"), true},
                    RuleCase{"OtherScheme", "https://b.org", place("b.org", 443, "http"), false},
                    RuleCase{"Port", "b.org:80", place("b.org"), true},
                    RuleCase{"OtherPort", "b.org:81", place("b.org"), false},
                    RuleCase{"Ports", "b.org:80-90", place("b.org", 90), true},
                    RuleCase{"BeyondPorts", "b.org:80-90", place("b.org", 91), false},
                    RuleCase{"Any", "grpc://*:9000-9099", place("b.org", 9001, "grpc"), true},
                    RuleCase{"AnyAddress", "*:80", place("10.0.0.1"), true},
                    RuleCase{"GroupInAnyCase", "Loopback", place("127.0.0.1"), true},
                    RuleCase{"GroupWithPorts", "loopback:80-90", place("127.0.0.1", 81), true},
                    RuleCase{"GroupBeyondPorts", "loopback:80-90", place("::1", 91), false},
                    RuleCase{"GroupOfAScheme", "grpc://private", place("10.0.0.1"), false},
                    RuleCase{"GroupAsAName", "private.", place("private"), true},
                    RuleCase{"Address", "10.0.0.1", place("10.0.0.1"), true},
                    RuleCase{"AddressSpelt", "10.0.0.1", place("0xa.1"), true},
                    RuleCase{"AddressMapped", "10.0.0.1", place("::ffff:10.0.0.1"), true},
                    RuleCase{"AddressCarried", "10.0.0.1", place("64:ff9b::10.0.0.1"), false},
                    RuleCase{"Range", "10.0.0.0/8", place("10.255.0.1"), true},
                    RuleCase{"RangeUnclean", "10.1.2.3/8", place("10.255.0.1"), true},
                    RuleCase{"BesideRange", "10.0.0.0/8", place("11.0.0.1"), false},
                    RuleCase{"RangePort", "10.0.0.0/8:80", place("10.0.0.1", 81), false},
                    RuleCase{"Range6", "fd00::/8", place("fd12::1"), true},
                    RuleCase{"Range6Port", "http://[fd00::/8]:80", place("fd12::1"), true},
                    RuleCase{"Range6OtherPort", "http://[fd00::/8]:81", place("fd12::1"), false},
                    RuleCase{"Address6Port", "[::1]:80", place("::1"), true},
                    RuleCase{"RangeIsNotForNames", "0.0.0.0/0", place("b.org"), false},
                    RuleCase{"ZoneIsNoName", ".b.org", place("fd00::1%a.b.org"), false},
                    RuleCase{"Group", "loopback", place("127.0.0.1"), true},
                    RuleCase{"GroupHas6", "loopback", place("::1"), true},
                    RuleCase{"WordIsNoGroupWithADot", "private.", place("private"), true},
                    RuleCase{"List", " a.org ,, b.org ", place("b.org"), true}),
    [](const auto& row) { return row.param.name; });

TEST(TargetPolicyTest, DeniesWhatIsAllowedToo) {
  EXPECT_FALSE(make("*").check(place("169.254.169.254")));
  EXPECT_FALSE(make("b.org").check(place("b.org"), address("169.254.169.254")));
  EXPECT_FALSE(make("", "*:22").check(place("b.org", 22)));
  EXPECT_TRUE(make("", "*:22").check(place("b.org")));
  EXPECT_FALSE(make("", "http://*").check(place("10.0.0.1")));
  EXPECT_TRUE(make("", "").check(place("169.254.169.254"), address("169.254.169.254")));
}

TEST(TargetPolicyTest, LetsAddressesDecideWhereRulesNameAddresses) {
  const TargetPolicy policy = make("10.0.0.0/8, http://b.org");
  EXPECT_TRUE(policy.check(place("a.org"))) << "its addresses are not known yet";
  EXPECT_TRUE(policy.check(place("a.org"), address("10.0.0.1")));
  EXPECT_FALSE(policy.check(place("a.org"), address("11.0.0.1")));
  EXPECT_TRUE(policy.check(place("b.org"), address("11.0.0.1"))) << "the name is allowed";
  EXPECT_FALSE(make("10.0.0.0/8:443").check(place("a.org"))) << "no rule has the port";
}

TEST(TargetPolicyTest, RefusesMalformedRules) {
  for (const char* rule :
       {"ftp://b.org", "b.org/path",   "b.org:0",     "b.org:x",     "b.org:90-80",
        "b.org:70000", "a b",          "10.0.0.0/33", "10.0.0.0/-1", "fd00::/129",
        "10.1",        "2852039166",   "[::1",        "b..org",      ".",
        "user@b.org",  "fe80::1%eth0", "http://",     ":80",         "b.org:"}) {
    const auto policy = TargetPolicy::make(rule, "");
    ASSERT_FALSE(policy) << rule;
    EXPECT_TRUE(policy.error().detail.starts_with("TargetAllow: expected rules such as b.org"));
    EXPECT_TRUE(policy.error().detail.ends_with("found '" + std::string(rule) + "'"));
  }
  EXPECT_TRUE(TargetPolicy::make("", "x y").error().detail.starts_with("TargetDeny: "));
}

TEST(TargetGuardTest, KeepsFormerPoliciesOnce) {
  TargetGuard guard;
  const TargetPolicy& standard = guard.policy();
  guard.set(make("b.org"));
  const TargetPolicy& other = guard.policy();
  EXPECT_NE(&standard, &other);
  EXPECT_FALSE(other.check(place("a.org")));
  EXPECT_TRUE(standard.check(place("a.org")));
  guard.set(TargetPolicy());
  EXPECT_EQ(&guard.policy(), &standard);
}

}  // namespace
}  // namespace concerto::net
