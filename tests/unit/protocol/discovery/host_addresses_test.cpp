#include "discovery/host_addresses.hpp"

#include "discovery_fixture.hpp"

namespace concerto::net::test {
namespace {

class HostAddressesTest : public DiscoveryTest {
 protected:
  void TearDown() override { await(hosts_.close()); }

  std::string published() const {
    std::string text;
    for (const Address& address : hosts_.addresses()) {
      if (!text.empty()) text += ' ';
      text += address.address().to_string() + '|' + std::to_string(address.port());
    }
    return text;
  }

  HostAddresses hosts_{shard_};
};

TEST_F(HostAddressesTest, LiteralsNeedNoLookup) {
  hosts_.set_hosts({{"10.0.0.1", 80}, {"::1", 81}});
  EXPECT_EQ(published(), "10.0.0.1|80 ::1|81");
}

TEST_F(HostAddressesTest, NamesHaveSeveralAddresses) {
  resolver_.set("stock", {"10.0.0.1", "10.0.0.2"});
  hosts_.set_hosts({{"stock", 80}, {"10.0.0.9", 81}});
  run_until([&] { return hosts_.addresses().size() == 3; });
  EXPECT_EQ(published(), "10.0.0.1|80 10.0.0.2|80 10.0.0.9|81");
}

TEST_F(HostAddressesTest, LooksUpAgainAtIntervals) {
  resolver_.set("stock", {"10.0.0.1"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return published() == "10.0.0.1|80"; });
  resolver_.set("stock", {"10.0.0.2"});
  advance(HostAddresses::lookup_interval - std::chrono::seconds{1});
  EXPECT_EQ(resolver_.asked("stock"), 1);
  advance(std::chrono::seconds{1});
  run_until([&] { return published() == "10.0.0.2|80"; });
  EXPECT_EQ(resolver_.asked("stock"), 2);
}

TEST_F(HostAddressesTest, LooksUpAgainOnRequestButNotTooOften) {
  resolver_.set("stock", {"10.0.0.1"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return !hosts_.resolving(); });
  hosts_.refresh();
  poll();
  EXPECT_EQ(resolver_.asked("stock"), 1);
  advance(HostAddresses::lookup_interval_min);
  hosts_.refresh();
  hosts_.refresh();
  poll();
  EXPECT_EQ(resolver_.asked("stock"), 2);
}

TEST_F(HostAddressesTest, KeepsKnownAddressesWhenALookupFails) {
  resolver_.set("stock", {"10.0.0.1"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return !hosts_.resolving(); });
  resolver_.forget("stock");
  advance(HostAddresses::lookup_interval);
  run_until([&] { return resolver_.asked("stock") == 2; });
  poll();
  EXPECT_EQ(published(), "10.0.0.1|80");
}

TEST_F(HostAddressesTest, SaysWhyThereIsNoAddressAndTriesAgainWithPauses) {
  hosts_.set_hosts({{"nowhere", 80}});
  EXPECT_TRUE(hosts_.resolving());
  run_until([&] { return !hosts_.resolving(); });
  EXPECT_EQ(hosts_.error().detail, "lookup nowhere: Host not found");
  EXPECT_TRUE(hosts_.error().code == Condition::retry_later);

  // The pauses are 1, 2, 4, 8, 16 and then always 30 seconds.
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    const int asked = resolver_.asked("nowhere");
    advance(std::chrono::seconds{seconds} - std::chrono::milliseconds{1});
    EXPECT_EQ(resolver_.asked("nowhere"), asked);
    advance(std::chrono::milliseconds{1});
    EXPECT_EQ(resolver_.asked("nowhere"), asked + 1);
  }
  resolver_.set("nowhere", {"10.0.0.1"});
  advance(HostAddresses::lookup_interval);
  EXPECT_EQ(published(), "10.0.0.1|80");
}

TEST_F(HostAddressesTest, OneHostThatCannotBeFoundDoesNotHideTheOthers) {
  resolver_.set("stock", {"10.0.0.1"});
  hosts_.set_hosts({{"nowhere", 80}, {"stock", 80}});
  run_until([&] { return !hosts_.resolving(); });
  EXPECT_EQ(published(), "10.0.0.1|80");
}

TEST_F(HostAddressesTest, AChangedListKeepsKnownAddresses) {
  resolver_.set("a", {"10.0.0.1"});
  resolver_.set("b", {"10.0.0.2"});
  hosts_.set_hosts({{"a", 1}});
  run_until([&] { return published() == "10.0.0.1|1"; });
  hosts_.set_hosts({{"a", 2}, {"b", 1}});
  run_until([&] { return published() == "10.0.0.1|2 10.0.0.2|1"; });
  EXPECT_EQ(resolver_.asked("a"), 1);
}

TEST_F(HostAddressesTest, AnotherOrderIsNoChange) {
  resolver_.set("stock", {"10.0.0.1", "10.0.0.2"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return !hosts_.resolving(); });
  int changes = 0;
  const AddressSource::Listener listener{hosts_, [&changes] { ++changes; }};
  resolver_.set("stock", {"10.0.0.2", "10.0.0.1"});
  advance(HostAddresses::lookup_interval);
  EXPECT_EQ(resolver_.asked("stock"), 2);
  EXPECT_EQ(changes, 0);
}

class LimitedHostAddressesTest : public DiscoveryTest {
 protected:
  void TearDown() override { await(hosts_.close()); }

  void deny(std::string_view rules) { guard_.set(TargetPolicy::make("", rules).value()); }

  std::string told_;  ///< why the last address was refused
  TargetGuard guard_{TargetPolicy(), [this](const std::string& why) { told_ = why; }};
  DiscoveryShard limited_ = [this] {
    shard_.targets = &guard_;
    return shard_;
  }();
  HostAddresses hosts_{limited_};
};

TEST_F(LimitedHostAddressesTest, PublishesWhatThePolicyAllows) {
  resolver_.set("stock", {"10.0.0.1", "169.254.169.254"});
  hosts_.set_hosts({{"stock", 80}, {"169.254.1.1", 80}, {"0xa9fe0101", 80}});
  run_until([&] { return !hosts_.addresses().empty(); });
  ASSERT_EQ(hosts_.addresses().size(), 1U);
  EXPECT_EQ(hosts_.addresses().front().address().to_string(), "10.0.0.1");
}

TEST_F(LimitedHostAddressesTest, SaysThatThePolicyRefusesAll) {
  resolver_.set("stock", {"169.254.169.254"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return !hosts_.resolving(); });
  EXPECT_EQ(hosts_.error().detail,
            "target grpc://stock:80 is refused by TargetAllow or TargetDeny");
}

TEST_F(LimitedHostAddressesTest, FollowsThePolicy) {
  resolver_.set("stock", {"10.0.0.1"});
  hosts_.set_hosts({{"stock", 80}});
  run_until([&] { return !hosts_.addresses().empty(); });
  deny("private");
  hosts_.targets_changed();
  EXPECT_TRUE(hosts_.addresses().empty());
  EXPECT_TRUE(hosts_.is_refused());
  EXPECT_NE(told_.find("the address 10.0.0.1 of its name: 'private'"), std::string::npos) << told_;
  deny("loopback");
  hosts_.targets_changed();
  EXPECT_EQ(hosts_.addresses().size(), 1U);
  EXPECT_FALSE(hosts_.is_refused());
}

TEST_F(HostAddressesTest, ClosesWhileALookupRuns) {
  resolver_.hold();
  hosts_.set_hosts({{"stock", 80}});
  poll();
  EXPECT_EQ(resolver_.asked("stock"), 1);
}

}  // namespace
}  // namespace concerto::net::test
