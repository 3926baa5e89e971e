#include <algorithm>
#include <optional>
#include <set>

#include <gmock/gmock.h>

#include <concerto/protocol/target_channels.hpp>

#include "discovery/etcd_addresses.hpp"
#include "etcd_fixture.hpp"
#include "named_service.hpp"

namespace concerto::net::test {
namespace {

class TargetChannelsTest : public EtcdTest {
 protected:
  void begin(TargetChannelsOptions options = {}) {
    options.driver = Driver::gozero;
    targets_.emplace(shard_, std::move(options));
  }

  void TearDown() override {
    await(targets_->close());
    await(one_.close());
    await(two_.close());
    EtcdTest::TearDown();
  }

  GrpcReply ask(const std::string& target) {
    GrpcChannel* const channel = targets_->channel(target).value();
    return await(channel->unary("/pkg.Svc/Who", "", {}, timers_.now() + std::chrono::seconds{3}));
  }

  /// Calls until `count` different services have answered, and returns their addresses.
  std::set<std::string> ask_until(const std::string& target, std::size_t count) {
    std::set<std::string> answers;
    run_until([&] {
      answers.insert(ask(target).message);
      return answers.size() == count;
    });
    return answers;
  }

  NamedService one_{io_.get_executor(), timers_};
  NamedService two_{io_.get_executor(), timers_};
  TargetGuard guard_;
  std::optional<TargetChannels> targets_;
};

TEST_F(TargetChannelsTest, CallsAHostAndPort) {
  begin();
  const auto parts = targets_->split(one_.address() + "/pkg.Svc/Who");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->method, "/pkg.Svc/Who");
  EXPECT_EQ(ask(parts->target).message, one_.address());
}

TEST_F(TargetChannelsTest, KeepsOneChannelPerTarget) {
  begin();
  GrpcChannel* const channel = targets_->channel("localhost:1").value();
  EXPECT_EQ(targets_->channel("localhost:1").value(), channel);
  EXPECT_NE(targets_->channel("localhost:2").value(), channel);
  EXPECT_EQ(targets_->channel_count(), 2U);
}

TEST_F(TargetChannelsTest, UsesAllDirectAddressesInTurn) {
  begin();
  const std::set<std::string> both{one_.address(), two_.address()};
  EXPECT_EQ(ask_until("direct:///" + one_.address() + "," + two_.address(), 2), both);
}

TEST_F(TargetChannelsTest, FollowsTheRegistry) {
  begin();
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_EQ(ask(target).message, one_.address());
  etcd_.put("a.rpc/2", two_.address());
  ask_until(target, 2);
  etcd_.erase("a.rpc/1");
  run_until([&] { return ask(target).message == two_.address(); });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(target).message, two_.address());
}

TEST_F(TargetChannelsTest, LogsInToEtcdWithTheAccountOfTheUrl) {
  begin();
  etcd_.require_login("me@x", "secret");
  etcd_.put("a.rpc/1", one_.address());
  const auto parts =
      targets_->split("etcd://me%40x:secret@" + etcd_.hosts() + "/a.rpc/pkg.Svc/Who");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->method, "/pkg.Svc/Who");
  EXPECT_EQ(ask(parts->target).message, one_.address());
}

TEST_F(TargetChannelsTest, GoesOnWithoutEtcd) {
  begin();
  const std::string target = "discov://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_EQ(ask(target).message, one_.address());
  await(etcd_.stop());
  run_until([&] { return observer_.has("cannot be followed"); });
  EXPECT_EQ(ask(target).message, one_.address());
}

TEST_F(TargetChannelsTest, UsesAddressesOfAnotherShardWhileEtcdIsAway) {
  TargetChannelsOptions options;
  options.memory = std::make_shared<AddressMemory>();
  begin(options);
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_EQ(ask(target).message, one_.address());
  await(etcd_.stop());
  await(targets_->close());

  begin(options);  // Another shard would do this when it uses the target for the first time.
  EXPECT_EQ(ask(target).message, one_.address());
}

TEST_F(TargetChannelsTest, SaysThatNoServiceIsRegistered) {
  begin();
  const auto reply = ask("etcd://" + etcd_.hosts() + "/a.rpc");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_EQ(reply.status.message, "no address of 'a.rpc' is registered in etcd");
  EXPECT_FALSE(reply.sent);
}

TEST_F(TargetChannelsTest, SaysThatEtcdCannotBeReached) {
  begin();
  await(etcd_.stop());
  const auto reply = ask("etcd://" + etcd_.hosts() + "/a.rpc");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_EQ(reply.status.message.find("etcd, which knows 'a.rpc': "), 0U) << reply.status.message;
}

TEST_F(TargetChannelsTest, RefusesRegisteredAddressesThatThePolicyDenies) {
  const std::string second = two_.address().substr(two_.address().find(':'));
  guard_.set(TargetPolicy::make("", "grpc://*" + second).value());
  shard_.targets = &guard_;
  begin();
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", two_.address());
  EXPECT_EQ(ask(target).status.message,
            "the addresses of 'a.rpc' in etcd are refused by TargetAllow or TargetDeny");
  guard_.set(TargetPolicy());
  targets_->targets_changed();
  EXPECT_EQ(ask(target).message, two_.address());
}

TEST_F(TargetChannelsTest, RefusesRegistriesThatThePolicyDenies) {
  guard_.set(TargetPolicy::make("", "etcd://127.0.0.0/8").value());
  shard_.targets = &guard_;
  begin();
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  EXPECT_FALSE(targets_->check(targets_->parse(target).value()));
  EXPECT_EQ(ask(target).status.message,
            "etcd, which knows 'a.rpc', is refused by TargetAllow or TargetDeny");
  TargetChannelsOptions options;  // For a client, the registry of the operator is one as any other.
  options.etcd_access.emplace();
  options.etcd_access->hosts = etcd_.hosts();
  await(targets_->close());
  begin(std::move(options));
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_THAT(ask(target).status.message, testing::HasSubstr("is refused by TargetAllow"));
  auto own = targets_->etcd_clients().acquire_configured(etcd_.hosts()).value();
  using etcdserverpb::RangeResponse, etcdserverpb::RangeRequest;
  EXPECT_TRUE(await(own->call<RangeResponse>("/etcdserverpb.KV/Range", RangeRequest())));
  await(targets_->etcd_clients().release(std::move(own)));
}

TEST_F(TargetChannelsTest, ForgetsWhatARegistrySaidThatIsRefusedByNow) {
  guard_.set(TargetPolicy::make("", "b.org").value());
  shard_.targets = &guard_;
  begin();
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_EQ(ask(target).message, one_.address());
  run_until([&] { return etcd_.watch_count() == 1; });
  guard_.set(TargetPolicy::make("", "etcd://127.0.0.0/8").value());
  targets_->targets_changed();
  run_until([&] { return etcd_.watch_count() == 0; });
  EXPECT_EQ(ask(target).status.message,
            "etcd, which knows 'a.rpc', is refused by TargetAllow or TargetDeny");
  const int before = etcd_.range_count();
  advance(std::chrono::seconds{4});
  EXPECT_EQ(etcd_.range_count(), before);
  guard_.set(TargetPolicy());
  targets_->targets_changed();
  advance(std::chrono::seconds{4});
  run_until([&] { return etcd_.watch_count() == 1; });
  EXPECT_EQ(ask(target).message, one_.address());
}

TEST_F(TargetChannelsTest, WatchesARegistryAnewUnderAnotherPolicyOnly) {
  guard_.set(TargetPolicy::make("", "b.org").value());
  shard_.targets = &guard_;
  begin();
  const std::string target = "etcd://" + etcd_.hosts() + "/a.rpc";
  etcd_.put("a.rpc/1", one_.address());
  EXPECT_EQ(ask(target).message, one_.address());
  run_until([&] { return etcd_.watch_count() == 1; });
  targets_->targets_changed();
  poll();
  EXPECT_EQ(etcd_.watch_count(), 1U);
  guard_.set(TargetPolicy::make("", "c.org").value());
  targets_->targets_changed();
  run_until([&] { return etcd_.watch_count() == 0; });
  EXPECT_EQ(ask(target).message, one_.address()) << "the addresses stay in use";
  advance(std::chrono::seconds{1});
  run_until([&] { return etcd_.watch_count() == 1; });
}

TEST_F(TargetChannelsTest, GivesTheCoordinatorsAccountToTheConfiguredHostsAlone) {
  etcd_.require_login("coordinator", "secret");
  etcd_.put("a.rpc/1", one_.address());
  TargetChannelsOptions options;
  options.etcd_access.emplace();
  options.etcd_access->hosts = etcd_.hosts();
  options.etcd_access->user = "coordinator";
  options.etcd_access->password = "secret";
  begin(std::move(options));
  EXPECT_EQ(ask("etcd://" + etcd_.hosts() + "/a.rpc").message, one_.address());
  EXPECT_EQ(etcd_.login_count(), 1);
  // The same server, but other hosts, and another account.
  resolver_.set("localhost", {"127.0.0.1"});
  const std::string port = etcd_.hosts().substr(etcd_.hosts().find(':'));
  for (const std::string& hosts : {"localhost" + port, etcd_.hosts() + ",localhost" + port}) {
    EXPECT_EQ(ask("etcd://" + hosts + "/a.rpc").status.code, GrpcCode::unavailable) << hosts;
    EXPECT_EQ(etcd_.login_count(), 1) << hosts;
  }
  EXPECT_EQ(ask("etcd://other:wrong@" + etcd_.hosts() + "/a.rpc").status.code,
            GrpcCode::unavailable);
}

TEST_F(TargetChannelsTest, SkipsRegisteredValuesThatAreNoAddress) {
  begin();
  etcd_.put("a.rpc/1", "nonsense");
  etcd_.put("a.rpc/2", one_.address());
  EXPECT_EQ(ask("etcd://" + etcd_.hosts() + "/a.rpc").message, one_.address());
  EXPECT_TRUE(observer_.has("the value of 'a.rpc/1' is no address"));
  EXPECT_FALSE(observer_.has("nonsense")) << "it may be a secret";
}

TEST_F(EtcdTest, AtMost32RegisteredAddressesAreUsed) {
  for (int i = 0; i < 100; ++i) {
    etcd_.put("a.rpc/" + std::to_string(i), "127.0.0." + std::to_string(i + 1) + ":1");
  }
  EtcdClients clients{shard_, std::nullopt};
  EtcdAddresses addresses{shard_,        clients, clients.acquire(etcd_.hosts()).value(),
                          etcd_.hosts(), "a.rpc", nullptr};
  run_until([&] { return !addresses.resolving(); });
  const auto before = addresses.addresses();
  EXPECT_EQ(before.size(), 32U);

  etcd_.put("a.rpc/x", "127.0.1.1:1");
  run_until([&] { return etcd_.watch_count() == 1; });
  poll();
  std::size_t kept = 0;
  for (const auto& address : addresses.addresses()) {
    kept += static_cast<std::size_t>(std::count(before.begin(), before.end(), address));
  }
  EXPECT_GE(kept, 31U);
  await(addresses.close());
}

TEST_F(TargetChannelsTest, NamesASchemeThatIsNotInThisVersion) {
  begin();
  const auto channel = targets_->channel("consul://h:8500/a.rpc");
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().detail, "scheme 'consul' is not in this version");
  EXPECT_EQ(targets_->channel_count(), 0U);
}

TEST_F(TargetChannelsTest, DropsTheLongestUnusedOfTooManyChannels) {
  TargetChannelsOptions options;
  options.channels_max = 2;
  begin(std::move(options));
  ASSERT_TRUE(targets_->channel("etcd://" + etcd_.hosts() + "/a.rpc"));
  advance(std::chrono::seconds{1});
  GrpcChannel* const second = targets_->channel("localhost:2").value();
  run_until([&] { return etcd_.watch_count() == 1; });
  ASSERT_TRUE(targets_->channel("localhost:3"));
  EXPECT_EQ(targets_->channel_count(), 2U);
  EXPECT_EQ(targets_->channel("localhost:2").value(), second);
  run_until([&] { return etcd_.watch_count() == 0; });
}

TEST_F(TargetChannelsTest, KeepsChannelsWithCalls) {
  TargetChannelsOptions options;
  options.channels_max = 1;
  begin(std::move(options));
  resolver_.hold();
  GrpcChannel* const busy = targets_->channel("localhost:1").value();
  const auto stream = busy->open_stream("/pkg.Svc/Any", {}, SteadyTime::max());
  const auto refused = targets_->channel("localhost:2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::overloaded);
}

TEST_F(TargetChannelsTest, DropsUnusedChannels) {
  begin();
  ASSERT_TRUE(targets_->channel("localhost:1"));
  advance(std::chrono::minutes{31});
  ASSERT_TRUE(targets_->channel("localhost:2"));
  EXPECT_EQ(targets_->channel_count(), 1U);
}

TEST_F(TargetChannelsTest, RefusesWorkAfterClose) {
  begin();
  await(targets_->close());
  const auto channel = targets_->channel("localhost:1");
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code, Errc::shutting_down);
}

}  // namespace
}  // namespace concerto::net::test
