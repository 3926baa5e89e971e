// Discovery against a real etcd, which is killed and started again on the way.

#include <chrono>
#include <cstdlib>
#include <etcd_rpc.pb.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <concerto/protocol/etcd_registration.hpp>
#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/system.hpp>

#include "discovery/etcd_client.hpp"
#include "discovery/etcd_prefix_watch.hpp"
#include "discovery_fixture.hpp"
#include "real_etcd.hpp"
#include "test_certificates.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::seconds;
using Values = EtcdPrefixWatch::Values;

class RealEtcdTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RealEtcd::installed()) {
      start_etcd();
    } else if (std::getenv("CI") != nullptr) {
      FAIL() << "etcd is not installed (Debian package: etcd-server)";
    } else {
      GTEST_SKIP() << "etcd is not installed (Debian package: etcd-server)";
    }
  }

  virtual void start_etcd() { etcd_.emplace(); }

  /// Every step takes seconds at most. The slowest are etcd's start and the leases.
  void run_until(const char* what, const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + seconds{30};
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "not reached: " << what;
      if (io_.stopped()) io_.restart();
      io_.run_one_for(std::chrono::milliseconds{20});
    }
  }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> value;
    asio::co_spawn(io_, std::move(task), [&value](const std::exception_ptr& error, T result) {
      if (error) std::rethrow_exception(error);
      value.emplace(std::move(result));
    });
    run_until("the end of a coroutine", [&value] { return value.has_value(); });
    return std::move(*value);
  }

  void await(Task<void> task) {
    bool ended = false;
    asio::co_spawn(io_, std::move(task), [&ended](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
      ended = true;
    });
    run_until("the end of a coroutine", [&ended] { return ended; });
  }

  std::optional<RealEtcd> etcd_;
  asio::io_context io_{1};
  SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  SystemRandom random_;
  DnsWorkers workers_;
  SystemHostResolver resolver_{io_.get_executor(), workers_};
  LogRecorder observer_;
  DiscoveryShard shard_{io_.get_executor(), timers_, random_, resolver_, observer_};
};

/// A watch of `concerto/`, with functions that change what it watches.
class RealEtcdWatch : public RealEtcdTest {
 protected:
  void SetUp() override {
    RealEtcdTest::SetUp();
    if (!etcd_) return;
    client_ = clients_.acquire(etcd_->hosts()).value();
    watch_.emplace(shard_, *client_, "concerto/",
                   EtcdPrefixWatch::Listener{[this](const Values& values) { seen_ = values; },
                                             [](const Error&) {}});
    watch_->start();
  }

  void TearDown() override {
    if (!etcd_) return;
    await(watch_->close());
    await(clients_.release(std::move(client_)));
  }

  void put(const std::string& key, const std::string& value) {
    run_until("a put is accepted", [&] {
      etcdserverpb::PutRequest request;
      request.set_key(key);
      request.set_value(value);
      return await(client_->call<etcdserverpb::PutResponse>("/etcdserverpb.KV/Put",
                                                            std::move(request)))
          .has_value();
    });
  }

  void erase(const std::string& key) {
    etcdserverpb::DeleteRangeRequest request;
    request.set_key(key);
    const auto erased = await(client_->call<etcdserverpb::DeleteRangeResponse>(
        "/etcdserverpb.KV/DeleteRange", std::move(request)));
    ASSERT_TRUE(erased) << erased.error().detail;
    EXPECT_EQ(erased->deleted(), 1);
  }

  void wait_for(const Values& values) {
    run_until("the watch knows the values", [&] { return seen_ == values; });
  }

  EtcdClients clients_{shard_, std::nullopt};
  std::shared_ptr<EtcdClient> client_;
  std::optional<EtcdPrefixWatch> watch_;
  std::optional<Values> seen_;
};

TEST_F(RealEtcdWatch, FollowsChanges) {
  put("concerto/1", "h1:1");
  wait_for({{"concerto/1", "h1:1"}});
  put("concerto/2", "h2:1");
  put("elsewhere/3", "h3:1");
  wait_for({{"concerto/1", "h1:1"}, {"concerto/2", "h2:1"}});
  erase("concerto/1");
  wait_for({{"concerto/2", "h2:1"}});
}

TEST_F(RealEtcdWatch, SurvivesAKillOfEtcd) {
  put("concerto/1", "h1:1");
  wait_for({{"concerto/1", "h1:1"}});
  etcd_->kill();
  run_until("the loss is noticed", [&] { return observer_.has("cannot be followed"); });
  EXPECT_EQ(seen_, (Values{{"concerto/1", "h1:1"}}));
  etcd_->start();
  put("concerto/2", "h2:1");
  wait_for({{"concerto/1", "h1:1"}, {"concerto/2", "h2:1"}});
  erase("concerto/1");
  wait_for({{"concerto/2", "h2:1"}});
}

TEST_F(RealEtcdWatch, SurvivesTheLossOfEtcdsData) {
  for (int i = 0; i < 5; ++i) put("concerto/1", "h1:1");
  wait_for({{"concerto/1", "h1:1"}});
  etcd_->kill();
  etcd_->lose_data();
  etcd_->start();
  put("concerto/2", "h2:1");
  wait_for({{"concerto/1", "h1:1"}, {"concerto/2", "h2:1"}});
  wait_for({{"concerto/2", "h2:1"}});
}

/// A registration at `dtmservice/`.
class RealEtcdRegistration : public RealEtcdTest {
 protected:
  void begin(EtcdAccess account = {}) {
    account.hosts = etcd_->hosts();
    TargetChannelsOptions options;
    options.driver = Driver::gozero;
    options.etcd_access = account;
    targets_.emplace(shard_, std::move(options));
    client_ = targets_->etcd_clients().acquire(etcd_->hosts()).value();
    RegistrationPlan plan;
    plan.access = account;
    plan.key = "dtmservice";
    plan.endpoint = "localhost:36790";
    registration_.emplace(*targets_, std::move(plan));
    registration_->start();
  }

  void TearDown() override {
    if (!targets_) return;
    if (registration_) stop();
    await(targets_->etcd_clients().release(std::move(client_)));
    await(targets_->close());
  }

  void stop() {
    await(registration_->stop(timers_.now() + seconds{2}));
    registration_.reset();
  }

  /// The keys. Nothing if etcd does not answer.
  std::optional<Values> keys() {
    etcdserverpb::RangeRequest request;
    request.set_key("dtmservice/");
    request.set_range_end("dtmservice0");
    const auto reply = await(
        client_->call<etcdserverpb::RangeResponse>("/etcdserverpb.KV/Range", std::move(request)));
    if (!reply) return std::nullopt;
    Values values;
    for (const auto& kv : reply->kvs()) {
      EXPECT_EQ(kv.key(), "dtmservice/" + std::to_string(kv.lease()));
      values.emplace(kv.key(), kv.value());
    }
    return values;
  }

  /// Waits until exactly one key is there, and returns the key.
  std::string wait_for_key() {
    std::optional<Values> found;
    run_until("one key is registered", [&] {
      found = keys();
      return found && found->size() == 1 && registration_->registered();
    });
    EXPECT_EQ(found->begin()->second, "localhost:36790");
    return found->begin()->first;
  }

  void comes_back_after_a_kill() {
    wait_for_key();
    etcd_->kill();
    run_until("the loss is noticed", [&] { return !registration_->registered(); });
    etcd_->start();
    wait_for_key();
    stop();
    EXPECT_EQ(keys(), Values{});
  }

  std::optional<TargetChannels> targets_;
  std::shared_ptr<EtcdClient> client_;
  std::optional<EtcdRegistration> registration_;
};

TEST_F(RealEtcdRegistration, OutlivesItsLeaseAndGoesWhenStopped) {
  begin();
  const std::string key = wait_for_key();
  const SteadyTime after_lease = timers_.now() + seconds{12};
  run_until("the first lease would be over", [&] { return timers_.now() > after_lease; });
  EXPECT_EQ(wait_for_key(), key);
  stop();
  EXPECT_EQ(keys(), Values{});
}

TEST_F(RealEtcdRegistration, ComesBackAfterAKillOfEtcd) {
  begin();
  comes_back_after_a_kill();
}

TEST_F(RealEtcdRegistration, ComesBackAfterTheLossOfEtcdsData) {
  begin();
  const std::string before = wait_for_key();
  etcd_->kill();
  etcd_->lose_data();
  etcd_->start();
  EXPECT_NE(wait_for_key(), before);
}

TEST_F(RealEtcdRegistration, LogsIn) {
  StaticAddresses address{{Address{asio::ip::address_v4::loopback(), etcd_->port()}}};
  GrpcChannel admin{io_.get_executor(), timers_, random_, address};
  const auto call = [&](const char* method, const char* message) {
    GrpcReply reply;
    run_until(method, [&] {
      reply = await(admin.unary("/etcdserverpb.Auth/" + std::string(method), message, {},
                                timers_.now() + seconds{5}));
      return reply.status.code != GrpcCode::unavailable;
    });
    ASSERT_TRUE(reply.ok()) << method << ": " << reply.status.message;
  };
  call("UserAdd", "\x0a\x04root\x12\x06secret");      // name, password
  call("RoleAdd", "\x0a\x04root");                    // name
  call("UserGrantRole", "\x0a\x04root\x12\x04root");  // user, role
  call("AuthEnable", "");

  EtcdAccess account;
  account.user = "root";
  account.password = "secret";
  begin(account);
  wait_for_key();
}

/// An etcd that speaks only TLS, and only to clients with a certificate.
class RealEtcdWithTls : public RealEtcdRegistration {
 protected:
  void start_etcd() override {
    const Certificate authority = make_authority("test authority");
    const Certificate server = make_server_certificate(authority, "DNS:localhost,IP:127.0.0.1");
    ca_file_ = write("ca.pem", authority.pem());
    certificate_file_ = write("server.pem", server.pem());
    key_file_ = write("server.key", server.key_pem());
    etcd_.emplace(RealEtcd::Tls{certificate_file_, key_file_, ca_file_});
  }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path =
        testing::TempDir() + "concerto_etcd_" + std::to_string(::getpid()) + "_" + name;
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }

  void TearDown() override {
    RealEtcdRegistration::TearDown();
    for (const std::string& file : files_) std::filesystem::remove(file);
  }

  /// The configuration's URL of this etcd, with these parameters.
  EtcdAccess access(const std::string& parameters) {
    const auto plan =
        parse_registration(Driver::gozero, "etcd://" + etcd_->hosts() + "/dtmservice?" + parameters,
                           "localhost:36790");
    EXPECT_TRUE(plan) << plan.error().detail;
    return (*plan)->access;
  }

  std::string ca_file_;
  std::string certificate_file_;
  std::string key_file_;
  std::vector<std::string> files_;
};

TEST_F(RealEtcdWithTls, Registers) {
  begin(access("caCert=" + ca_file_ + "&certFile=" + certificate_file_ + "&keyFile=" + key_file_));
  comes_back_after_a_kill();
}

TEST_F(RealEtcdWithTls, IsNotTrustedWithAnotherAuthority) {
  const std::string other = write("other.pem", make_authority("another authority").pem());
  begin(access("caCert=" + other + "&certFile=" + certificate_file_ + "&keyFile=" + key_file_));
  run_until("it is said", [&] { return observer_.has("certificate verify failed"); });
  EXPECT_FALSE(registration_->registered());
}

TEST_F(RealEtcdWithTls, RefusesAClientWithoutACertificate) {
  begin(access("caCert=" + ca_file_));
  run_until("it is said", [&] { return observer_.has("bad certificate"); });
  EXPECT_FALSE(registration_->registered());
}

TEST_F(RealEtcdRegistration, SaysThatEtcdDoesNotSpeakTls) {
  EtcdAccess access;
  access.tls = make_tls_client_context().value();
  begin(access);
  run_until("it is said", [&] { return observer_.has("does it speak TLS?"); });
}

}  // namespace
}  // namespace concerto::net::test
