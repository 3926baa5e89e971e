#include <gtest/gtest.h>

#include <concerto/transport/address_set.hpp>

namespace concerto::net {
namespace {

bool contains(const char* list, const char* address) {
  const auto set = AddressSet::parse(list);
  EXPECT_TRUE(set) << list;
  return set && set->contains(boost::asio::ip::make_address(address));
}

TEST(AddressSet, HasWhatIsListed) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.7, fd00::/8", "fd00::7"));
  EXPECT_TRUE(contains("192.0.2.7, fd00::/8", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7, fd00::/8", "192.0.2.8"));
  EXPECT_FALSE(contains("192.0.2.7, fd00::/8", "fe00::7"));
  EXPECT_FALSE(contains("", "10.0.0.1"));
}

TEST(AddressSet, KnowsAnIpv4AddressInTheFormOfIpv6AndNoOtherSuchForm) {
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "::ffff:10.0.0.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "2002:a00:1::")) << "6to4";
  EXPECT_FALSE(contains("10.0.0.0/8", "64:ff9b::a00:1")) << "NAT64";
}

TEST(AddressSet, NamesWhatIsNoAddress) {
  for (const char* list : {"10.0.0.0/33", "proxy.b.org", "10.0.0.1:80", "10.1", "fe80::1%lo", "*",
                           "10.0.0.1 10.0.0.2", "fd00::/129"}) {
    const auto set = AddressSet::parse("10.0.0.1, " + std::string{list});
    ASSERT_FALSE(set) << list;
    EXPECT_NE(set.error().detail.find("'" + std::string{list} + "'"), std::string::npos);
  }
  std::string many;
  for (std::size_t i = 0; i <= AddressSet::ranges_max; ++i) many += "10.0.0.1,";
  EXPECT_FALSE(AddressSet::parse(many));
}

}  // namespace
}  // namespace concerto::net
