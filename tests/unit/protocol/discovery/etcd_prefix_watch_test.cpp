#include "discovery/etcd_prefix_watch.hpp"

#include <optional>

#include "etcd_fixture.hpp"

namespace concerto::net::test {
namespace {

using Values = EtcdPrefixWatch::Values;

template <class Fixture>
class Watched : public Fixture {
 protected:
  void begin_at(const std::string& hosts) {
    client_ = clients_.acquire(hosts).value();
    watch_.emplace(this->shard_, *client_, "a.rpc/",
                   EtcdPrefixWatch::Listener{[this](const Values& values) {
                                               seen_ = values;
                                               ++told_count_;
                                             },
                                             [this](const Error&) { ++failure_count_; }});
    watch_->start();
  }

  void TearDown() override {
    this->await(watch_->close());
    this->await(clients_.release(std::move(client_)));
    Fixture::TearDown();
  }

  void wait_for(const Values& values) {
    this->run_until([&] { return seen_ == values; });
  }

  EtcdClients clients_{this->shard_, std::nullopt};
  std::shared_ptr<EtcdClient> client_;
  std::optional<Values> seen_;
  int failure_count_ = 0;
  int told_count_ = 0;
  std::optional<EtcdPrefixWatch> watch_;
};

class EtcdPrefixWatchTest : public Watched<EtcdTest> {
 protected:
  void begin() { begin_at(etcd_.hosts()); }

  /// All keys have the same length, so that their order is that of the numbers.
  static std::string key(int number) { return "a.rpc/" + std::to_string(10'000 + number); }
  void put_keys(int count) {
    for (int i = 0; i < count; ++i) etcd_.put(key(i), "h:1");
  }
  void wait_for_watch() {
    run_until([&] { return etcd_.watch_count() == 1; });
  }
};

TEST_F(EtcdPrefixWatchTest, ReadsThenFollows) {
  etcd_.put("a.rpc/1", "h1:1");
  etcd_.put("b.rpc/1", "other");
  etcd_.put("a.rpc", "not below");
  begin();
  wait_for({{"a.rpc/1", "h1:1"}});
  wait_for_watch();
  etcd_.put("a.rpc/2", "h2:1");
  wait_for({{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h2:1"}});
  etcd_.put("a.rpc/2", "h3:1");
  wait_for({{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h3:1"}});
  etcd_.erase("a.rpc/1");
  wait_for({{"a.rpc/2", "h3:1"}});
  EXPECT_EQ(etcd_.range_count(), 1);
  EXPECT_EQ(failure_count_, 0);
}

TEST_F(EtcdPrefixWatchTest, MissesNoChangeBetweenReadingAndWatching) {
  begin();
  run_until([&] { return seen_.has_value(); });
  // The watch has not begun, but its start revision includes this change.
  etcd_.put("a.rpc/1", "h1:1");
  wait_for({{"a.rpc/1", "h1:1"}});
}

TEST_F(EtcdPrefixWatchTest, ReadsAgainAtOnceAfterCompaction) {
  etcd_.compact_before_next_watch();
  begin();
  wait_for_watch();
  EXPECT_EQ(etcd_.range_count(), 2);
  EXPECT_EQ(failure_count_, 0);
  etcd_.put("a.rpc/1", "h1:1");
  wait_for({{"a.rpc/1", "h1:1"}});
}

TEST_F(EtcdPrefixWatchTest, ReadsAgainWhenTheStreamEnds) {
  begin();
  wait_for_watch();
  etcd_.end_streams();
  run_until([&] { return failure_count_ == 1; });
  etcd_.put("a.rpc/1", "h1:1");
  advance(reconnect_pause_max);
  wait_for({{"a.rpc/1", "h1:1"}});
}

TEST_F(EtcdPrefixWatchTest, KeepsKnownValuesWhileEtcdIsAway) {
  etcd_.put("a.rpc/1", "h1:1");
  begin();
  wait_for_watch();
  await(etcd_.stop());
  run_until([&] { return failure_count_ == 1; });
  etcd_.put("a.rpc/2", "h2:1");
  for (int failures = 2; failures < 5; ++failures) {
    advance(reconnect_pause_max);
    run_until([&] { return failure_count_ >= failures; });
  }
  EXPECT_EQ(seen_, (Values{{"a.rpc/1", "h1:1"}}));
  EXPECT_EQ(observer_.count(LogLevel::warn), 2U) << "the loss, and that nobody listens";

  etcd_.start();
  advance(reconnect_pause_max);
  wait_for({{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h2:1"}});
  wait_for_watch();
  run_until([&] { return observer_.has("are followed again, 2 known"); });
  EXPECT_EQ(observer_.count(LogLevel::warn), 2U);
}

TEST_F(EtcdPrefixWatchTest, TriesUntilEtcdAnswers) {
  await(etcd_.stop());
  begin();
  run_until([&] { return failure_count_ == 1; });
  etcd_.put("a.rpc/1", "h1:1");
  etcd_.start();
  advance(reconnect_pause_max);
  wait_for({{"a.rpc/1", "h1:1"}});
}

TEST_F(EtcdPrefixWatchTest, TrustsFormerValuesForAWhileWhenEtcdHasLostItsData) {
  etcd_.put("a.rpc/1", "h1:1");
  etcd_.put("a.rpc/2", "h2:1");
  begin();
  wait_for_watch();
  await(etcd_.stop());
  etcd_.lose_data();
  etcd_.start();
  run_until([&] { return failure_count_ == 1; });
  advance(reconnect_pause_max);
  wait_for_watch();
  EXPECT_EQ(seen_, (Values{{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h2:1"}}));

  etcd_.put("a.rpc/7", "h2:1");
  wait_for({{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h2:1"}, {"a.rpc/7", "h2:1"}});
  advance(EtcdPrefixWatch::lost_data_grace);
  wait_for({{"a.rpc/7", "h2:1"}});
}

TEST_F(EtcdPrefixWatchTest, GathersChangesOfManyKeys) {
  put_keys(200);
  begin();
  wait_for_watch();
  ASSERT_EQ(told_count_, 1);
  for (int i = 0; i < 20; ++i) {
    etcd_.put(key(0), "h" + std::to_string(i) + ":1");
    poll();  // Each change comes in its own message.
  }
  etcd_.put("a.rpc/last", "h:1");
  poll();
  EXPECT_EQ(told_count_, 1);
  run_until([&] {
    advance(EtcdPrefixWatch::tell_interval);
    return seen_->contains("a.rpc/last");
  });
  EXPECT_EQ(seen_->at(key(0)), "h19:1");
}

TEST_F(EtcdPrefixWatchTest, UsesTheFirstOfTooManyKeysAndLogsIt) {
  const int count = static_cast<int>(EtcdPrefixWatch::keys_max);
  put_keys(count + 1);
  begin();
  wait_for_watch();
  EXPECT_EQ(seen_->size(), EtcdPrefixWatch::keys_max);
  EXPECT_FALSE(seen_->contains(key(count)));
  etcd_.put("a.rpc/x", "h:1");
  etcd_.put(key(0), "h:2");
  run_until([&] {
    advance(EtcdPrefixWatch::tell_interval);
    return seen_->at(key(0)) == "h:2";
  });
  EXPECT_EQ(seen_->size(), EtcdPrefixWatch::keys_max);
  EXPECT_EQ(observer_.count(LogLevel::warn), 1U);
  EXPECT_TRUE(observer_.has("there are more than 4000 keys below 'a.rpc/'"));
}

TEST_F(EtcdPrefixWatchTest, ReadsFurtherKeysWhenFewAreLeft) {
  const int count = static_cast<int>(EtcdPrefixWatch::keys_max);
  put_keys(count + 1);
  begin();
  wait_for_watch();
  for (int i = 0; i <= count / 2; ++i) etcd_.erase(key(i));
  run_until([&] {
    advance(std::chrono::milliseconds{100});
    return seen_->contains(key(count));
  });
  EXPECT_EQ(seen_->size(), EtcdPrefixWatch::keys_max / 2);
  EXPECT_EQ(failure_count_, 0);
}

using EtcdClusterWatchTest = Watched<EtcdClusterTest>;

TEST_F(EtcdClusterWatchTest, ChangesToAnotherMemberWhenItsOwnIsCutOff) {
  etcd_.put("a.rpc/1", "h1:1");
  begin_at(all_hosts());
  run_until([&] { return etcd_.watch_count() + other_.watch_count() == 1; });
  const bool first = etcd_.watch_count() == 1;
  (first ? etcd_ : other_).lose_leader();
  ScriptedEtcd& well = first ? other_ : etcd_;
  run_until([&] {
    advance(reconnect_pause_max);
    return well.watch_count() == 1;
  });
  well.put("a.rpc/2", "h2:1");
  wait_for({{"a.rpc/1", "h1:1"}, {"a.rpc/2", "h2:1"}});
}

TEST(EtcdPrefixEnd, IsTheNextPrefix) {
  EXPECT_EQ(etcd_prefix_end("a.rpc/"), "a.rpc0");
  EXPECT_EQ(etcd_prefix_end("a\xff\xff"), "b");
}

}  // namespace
}  // namespace concerto::net::test
