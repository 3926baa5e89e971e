#include <optional>

#include <concerto/protocol/etcd_registration.hpp>

#include "etcd_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Keys = std::map<std::string, std::string>;

template <class Fixture>
class Registration : public Fixture {
 protected:
  void begin_at(const std::string& hosts, std::optional<EtcdAccess> account = {}) {
    TargetChannelsOptions options;
    options.driver = Driver::gozero;
    options.etcd_access = account;
    targets_.emplace(this->shard_, std::move(options));
    RegistrationPlan plan;
    plan.access.hosts = hosts;
    plan.key = "dtmservice";
    plan.endpoint = "localhost:36790";
    registration_.emplace(*targets_, std::move(plan));
    registration_->start();
  }

  void stop() {
    this->await(registration_->stop(this->timers_.now() + seconds{2}));
    registration_.reset();
  }

  void TearDown() override {
    if (registration_) stop();
    this->await(targets_->close());
    Fixture::TearDown();
  }

  void wait_for_registration(std::size_t number) {
    this->run_until(
        [&] { return registration_->registered() && this->etcd_.granted().size() == number; });
  }
  Keys keys_of(std::int64_t lease) const {
    return {{"dtmservice/" + std::to_string(lease), "localhost:36790"}};
  }

  std::optional<TargetChannels> targets_;
  std::optional<EtcdRegistration> registration_;
};

class EtcdRegistrationTest : public Registration<EtcdTest> {
 protected:
  void begin(std::optional<EtcdAccess> account = {}) { begin_at(etcd_.hosts(), account); }
  void wait_for_renewals(int count) {
    run_until([&] { return etcd_.renewal_count() == count; });
    poll();
  }
};

TEST_F(EtcdRegistrationTest, PutsTheEndpointUnderItsLease) {
  begin();
  wait_for_registration(1);
  EXPECT_EQ(etcd_.granted_ttls(), (std::vector<std::int64_t>{10}));
  EXPECT_EQ(etcd_.values(), keys_of(etcd_.granted()[0]));
}

TEST_F(EtcdRegistrationTest, RenewsEveryThirdOfTheLease) {
  begin();
  wait_for_registration(1);
  wait_for_renewals(1);
  for (int renewals = 2; renewals < 8; ++renewals) {
    advance(milliseconds{3'000});
    EXPECT_EQ(etcd_.renewal_count(), renewals - 1);
    advance(milliseconds{334});
    wait_for_renewals(renewals);
  }
  EXPECT_TRUE(registration_->registered());
  EXPECT_EQ(etcd_.granted().size(), 1U);
}

TEST_F(EtcdRegistrationTest, TakesANewLeaseWhenTheOldOneIsGone) {
  begin();
  wait_for_renewals(1);
  etcd_.expire(etcd_.granted()[0]);
  advance(seconds{4});
  run_until([&] { return !registration_->registered(); });
  EXPECT_TRUE(observer_.has("etcd does not know the lease any more"));
  poll();
  advance(seconds{1});
  wait_for_registration(2);
  EXPECT_EQ(etcd_.values(), keys_of(etcd_.granted()[1]));
}

TEST_F(EtcdRegistrationTest, KeepsItsLeaseWhenTheStreamEnds) {
  begin();
  wait_for_renewals(1);
  etcd_.end_streams();
  advance(seconds{4});
  run_until([&] {
    advance(milliseconds{100});
    return etcd_.renewal_count() == 2;
  });
  EXPECT_TRUE(registration_->registered());
  EXPECT_EQ(etcd_.values(), keys_of(etcd_.granted()[0]));
  EXPECT_EQ(etcd_.granted().size(), 1U);
}

TEST_F(EtcdRegistrationTest, PutsItsKeyAgainAfterItWasRemoved) {
  begin();
  wait_for_renewals(1);
  const Keys before = etcd_.values();
  etcd_.erase(before.begin()->first);
  EXPECT_EQ(etcd_.values(), Keys{});
  advance(seconds{4});
  run_until([&] { return etcd_.values() == before; });
  run_until([&] { return observer_.has("put it again"); });
  EXPECT_EQ(etcd_.granted().size(), 1U);
}

TEST_F(EtcdRegistrationTest, ComesBackWithEtcdAndRevokesItsOldLease) {
  begin();
  wait_for_renewals(1);
  await(etcd_.stop());
  run_until([&] {
    advance(seconds{1});
    return !registration_->registered();
  });
  etcd_.start();
  EXPECT_EQ(etcd_.values(), keys_of(etcd_.granted()[0])) << "etcd kept its data";
  poll();
  run_until([&] {
    advance(seconds{1});
    return registration_->registered();
  });
  run_until([&] { return !etcd_.revoked().empty(); });
  EXPECT_EQ(etcd_.values(), keys_of(etcd_.granted().back()));
}

TEST_F(EtcdRegistrationTest, TriesUntilEtcdAnswersAndLogsItOnce) {
  await(etcd_.stop());
  begin();
  run_until([&] { return observer_.count(LogLevel::warn) == 1; });
  for (int i = 0; i < 20; ++i) advance(seconds{1});
  EXPECT_EQ(observer_.count(LogLevel::warn), 1U);
  etcd_.start();
  run_until([&] {
    advance(seconds{1});
    return registration_->registered();
  });
  EXPECT_EQ(observer_.count(LogLevel::warn), 1U);
  EXPECT_EQ(observer_.count(LogLevel::info), 1U);
}

TEST_F(EtcdRegistrationTest, StopRemovesTheKey) {
  begin();
  wait_for_registration(1);
  stop();
  EXPECT_EQ(etcd_.values(), Keys{});
  EXPECT_EQ(etcd_.revoked(), etcd_.granted());
}

TEST_F(EtcdRegistrationTest, StopWithoutEtcdEnds) {
  begin();
  wait_for_registration(1);
  await(etcd_.stop());
  stop();
  EXPECT_TRUE(observer_.has("its key goes with its lease"));
}

TEST_F(EtcdRegistrationTest, StopEndsByItsDeadlineWhenEtcdHangs) {
  begin();
  wait_for_registration(1);
  etcd_.hang();
  const SteadyTime deadline = timers_.now() + seconds{2};
  bool stopped = false;
  asio::co_spawn(io_, registration_->stop(deadline),
                 [&stopped](const std::exception_ptr&) { stopped = true; });
  poll();
  EXPECT_FALSE(stopped);
  advance(seconds{2});
  run_until([&] { return stopped; });
  registration_.reset();
}

TEST_F(EtcdRegistrationTest, ALeaseThatIsNotRenewedInTimeCountsAsLost) {
  begin();
  wait_for_renewals(1);
  etcd_.hang();
  advance(seconds{4});
  poll();
  EXPECT_TRUE(registration_->registered());
  advance(seconds{6});
  run_until([&] { return !registration_->registered(); });
  etcd_.resume();
}

class EtcdClusterRegistrationTest : public Registration<EtcdClusterTest> {
 protected:
  /// The member that gets the renewals.
  ScriptedEtcd& used() { return etcd_.renewal_count() > 0 ? etcd_ : other_; }
  ScriptedEtcd& unused() { return etcd_.renewal_count() > 0 ? other_ : etcd_; }
  int renewals() const { return etcd_.renewal_count() + other_.renewal_count(); }

  /// Registers so often that each member is asked first at least once.
  void register_repeatedly() {
    for (int i = 0; i < 4; ++i) {
      if (targets_) await(targets_->close());
      begin_at(all_hosts());
      run_until([&] {
        advance(milliseconds{100});
        return registration_->registered();
      });
      stop();
    }
  }

  void expect_that_the_lease_goes_on() {
    const Keys before = etcd_.values();
    const int renewals_before = unused().renewal_count();
    ScriptedEtcd& well = unused();
    for (int i = 0; i < 300; ++i) advance(milliseconds{100});
    run_until([&] {
      advance(milliseconds{100});
      return well.renewal_count() > renewals_before + 2;
    });
    EXPECT_TRUE(registration_->registered());
    EXPECT_EQ(etcd_.granted().size(), 1U);
    EXPECT_EQ(etcd_.values(), before);
  }
};

TEST_F(EtcdClusterRegistrationTest, RegistersWhicheverMemberIsCutOff) {
  etcd_.lose_leader();
  register_repeatedly();
  etcd_.find_leader();
  other_.lose_leader();
  register_repeatedly();
  EXPECT_TRUE(observer_.has("does not serve and is left for another: etcdserver: no leader"));
}

TEST_F(EtcdClusterRegistrationTest, RegistersWhicheverMemberSwallowsEverything) {
  etcd_.hang();
  register_repeatedly();
  etcd_.resume();
  other_.hang();
  register_repeatedly();
  EXPECT_TRUE(observer_.has("does not serve and is left for another"));
}

TEST_F(EtcdClusterRegistrationTest, KeepsItsLeaseWhenItsMemberIsCutOff) {
  begin_at(all_hosts());
  run_until([&] { return renewals() == 1; });
  used().lose_leader();
  expect_that_the_lease_goes_on();
}

TEST_F(EtcdClusterRegistrationTest, KeepsItsLeaseWhenItsMemberSwallowsEverything) {
  begin_at(all_hosts());
  run_until([&] { return renewals() == 1; });
  used().hang();
  expect_that_the_lease_goes_on();
}

TEST_F(EtcdRegistrationTest, LogsInWithItsAccount) {
  etcd_.require_login("me", "secret");
  begin(EtcdAccess{etcd_.hosts(), "me", "secret", nullptr});
  wait_for_registration(1);
  EXPECT_EQ(etcd_.login_count(), 1);

  etcd_.forget_tokens();
  etcd_.expire(etcd_.granted()[0]);
  run_until([&] {
    advance(milliseconds{100});
    return registration_->registered() && etcd_.granted().size() == 2;
  });
  EXPECT_EQ(etcd_.login_count(), 2);
}

TEST_F(EtcdRegistrationTest, LogsInAgainWhenRolesWereChanged) {
  etcd_.require_login("me", "secret");
  begin(EtcdAccess{etcd_.hosts(), "me", "secret", nullptr});
  wait_for_registration(1);
  etcd_.outdate_tokens();
  etcd_.expire(etcd_.granted()[0]);
  run_until([&] {
    advance(milliseconds{100});
    return registration_->registered() && etcd_.granted().size() == 2;
  });
}

TEST_F(EtcdRegistrationTest, AnAccountDoesNoHarmWhereNoneIsNeeded) {
  begin(EtcdAccess{etcd_.hosts(), "me", "secret", nullptr});
  wait_for_registration(1);
}

TEST_F(EtcdRegistrationTest, SaysThatThePasswordIsWrong) {
  etcd_.require_login("me", "secret");
  begin(EtcdAccess{etcd_.hosts(), "me", "wrong", nullptr});
  run_until([&] { return observer_.has("invalid user ID or password"); });
  EXPECT_FALSE(registration_->registered());
}

}  // namespace
}  // namespace concerto::net::test
