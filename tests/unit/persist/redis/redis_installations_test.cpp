#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <concerto/base/tls_rules.hpp>

#include "redis/redis_socket.hpp"
#include "redis_store_under_test.hpp"
#include "test_certificates.hpp"

/// The store finds its server in each kind of installation.
namespace concerto::test {

using net::test::make_authority;
using net::test::make_server_certificate;
using net::test::PemFile;
using persist::RedisSetup;
using persist::RedisTls;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class RedisInstallation : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code create_one(const std::string& gid) {
    const Transaction saga = sample_saga(gid);
    const Result<> done = wait(store_->commit(create(saga)));
    return done ? error_code{} : done.error().code;
  }
  /// Tries until Redis is ready.
  error_code create_soon(const std::string& gid) {
    error_code last = EngineErrc::store_busy;
    while (last == EngineErrc::store_busy) last = create_one(gid);
    return last;
  }
  double number_of(std::string_view name) const { return number_in(*store_, name); }
  void open(const RedisOptions& options) {
    auto opened = RedisStore::open(options, clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  asio::io_context io_{1};
  StoreClock clock_;
  LogLines log_;
  std::unique_ptr<RedisStore> store_;
};

TEST_F(RedisInstallation, AUserThatMayNotWorkEndsTheStart) {
  RedisServerProcess server{{}, R"(
user dtm on >secret ~{a}_* +@all
user reader on >secret ~{a}_* +@read +evalsha +script|load +role
user clerk on >secret ~{a}_* +@read +@write +script|load +role
user typist on >secret ~{a}_* +@read +@write +evalsha +script|load +role
user default off
)"};
  RedisOptions options = redis_options_for(server.port(), "{a}");
  const auto refusal = [&](const std::string& user, const std::string& password) {
    options.access.user = user;
    options.access.password = password;
    const auto opened = RedisStore::open(options, clock_, log_);
    if (opened) return std::string("opened");
    EXPECT_EQ(opened.error().code, EngineErrc::store_unavailable);
    return opened.error().detail;
  };
  const auto keeps_out = [](const std::string& why) {
    return AllOf(HasSubstr("Redis at 127.0.0.1:"), HasSubstr("does not let this coordinator in"),
                 HasSubstr(why));
  };
  EXPECT_THAT(refusal("", ""), keeps_out("NOAUTH"));
  EXPECT_THAT(refusal("dtm", "wrong"), keeps_out("WRONGPASS"));
  EXPECT_THAT(refusal("nobody", "secret"), keeps_out("WRONGPASS"));
  EXPECT_THAT(refusal("reader", "secret"), HasSubstr("the user lacks a right"));
  EXPECT_THAT(refusal("clerk", "secret"), HasSubstr("'evalsha'"));
  options.access.prefix = "{b}";
  EXPECT_THAT(refusal("dtm", "secret"), HasSubstr("the user lacks a right"));
  options.access.prefix = "{a}";
  EXPECT_EQ(refusal("dtm", "secret"), "opened");
  options.access.needs_replicas = true;
  EXPECT_THAT(refusal("typist", "secret"), HasSubstr("'wait'"));
  EXPECT_EQ(refusal("dtm", "secret"), "opened");
  // Another server of the cluster is away.
  options.access.setup = RedisSetup::cluster;
  options.access.servers.push_back({"127.0.0.1", 1});
  EXPECT_THAT(refusal("dtm", "wrong"), keeps_out("WRONGPASS"));
  EXPECT_THAT(log_.take(), Not(HasSubstr("away")));
}

TEST_F(RedisInstallation, ARefusalAfterTheStartIsAnOutage) {
  RedisServerProcess server{{}, "user dtm on >secret ~* +@all\n"};
  RedisOptions options = redis_options_for(server.port(), "{a}");
  options.access.user = "dtm";
  options.access.password = "secret";
  open(options);
  EXPECT_EQ(create_one("g1"), error_code{});
  RedisClient client{server.port()};
  log_.take();
  client.ask({"ACL", "SETUSER", "dtm", "-@write"});
  EXPECT_EQ(create_one("g2"), EngineErrc::store_failed);
  EXPECT_EQ(store_->health().state, StoreHealth::State::recovering);
  EXPECT_THAT(log_.take(), HasSubstr("its user lacks a right"));
  EXPECT_EQ(number_of("refused_by_rights_total"), 1);
  client.ask({"ACL", "SETUSER", "dtm", "+@all"});
  EXPECT_EQ(create_one("g2"), error_code{});

  client.ask({"ACL", "SETUSER", "dtm", "resetpass", ">changed"});
  client.ask({"CLIENT", "KILL", "USER", "dtm"});
  while (store_->health().state == StoreHealth::State::serving) create_one("g3");
  EXPECT_EQ(create_one("g3"), EngineErrc::store_busy);
  EXPECT_THAT(store_->health().reasons.front(), HasSubstr("WRONGPASS"));
  client.ask({"ACL", "SETUSER", "dtm", ">secret"});
  EXPECT_EQ(create_soon("g3"), error_code{});
  while (store_->health().state != StoreHealth::State::serving) std::this_thread::yield();
  EXPECT_THAT(log_.take(), MatchesRegex("the store is away: [^\n]*WRONGPASS[^\n]*\n"
                                        "the store is back after [0-9.]+ s\n"));
}

TEST(RedisTls, HasTheVersionsAndCiphersOfEveryConnection) {
  RedisTls tls;
  tls.on = true;
  tls.checks = RedisTls::Checks::nothing;
  const auto made = persist::RedisTlsContext::make(tls);
  ASSERT_TRUE(made);
  SSL_CTX* const context = (*made)->get();
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_max_proto_version(context), TLS1_3_VERSION);
  EXPECT_EQ(SSL_CTX_get_max_cert_list(context), peer_certificates_bytes_max);
  STACK_OF(SSL_CIPHER)* const ciphers = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(ciphers, i);
    EXPECT_TRUE(SSL_CIPHER_is_aead(cipher)) << SSL_CIPHER_get_name(cipher);
    EXPECT_NE(SSL_CIPHER_get_kx_nid(cipher), NID_kx_rsa) << SSL_CIPHER_get_name(cipher);
  }
}

TEST_F(RedisInstallation, TlsIsCheckedAsAsked) {
  const auto authority = make_authority("authority");
  const auto here = make_server_certificate(authority, "IP:127.0.0.1");
  const PemFile ca{authority.pem()}, other_ca{make_authority("other").pem()};
  const PemFile certificate{here.pem()}, key{here.key_pem()};
  std::uint16_t tls_port = 0;
  {
    RedisServerProcess unused;  // Its port is free again afterwards.
    tls_port = unused.port();
  }
  RedisServerProcess server{{"--tls-port", std::to_string(tls_port), "--tls-cert-file",
                             certificate.path(), "--tls-key-file", key.path(), "--tls-ca-cert-file",
                             ca.path(), "--tls-auth-clients", "no"}};
  RedisOptions options = redis_options_for(tls_port, "{a}");
  options.access.tls = {true, RedisTls::Checks::host, ca.path(), "", ""};
  open(options);
  EXPECT_EQ(create_one("g1"), error_code{});
  const Transaction large = [] {
    Transaction saga = sample_saga("large");
    saga.payloads[0] = std::string(1'000'000, 'x');
    return saga;
  }();
  EXPECT_TRUE(wait(store_->commit(create(large))));
  EXPECT_EQ(wait(store_->load(Gid{"large"})).value()->payloads, large.payloads);

  options.access.tls.ca = other_ca.path();
  open(options);
  EXPECT_EQ(create_one("g2"), EngineErrc::store_busy);
  EXPECT_THAT(store_->health().reasons.front(), HasSubstr("certificate is not accepted"));
  options.access.tls.checks = RedisTls::Checks::nothing;
  open(options);
  EXPECT_EQ(create_one("g2"), error_code{});
  options.access.tls = {true, RedisTls::Checks::host, ca.path(), "", ""};
  options.access.servers = {{"localhost", tls_port}};
  open(options);
  EXPECT_EQ(create_one("g3"), EngineErrc::store_busy);
  options.access.tls.checks = RedisTls::Checks::certificate;
  open(options);
  EXPECT_EQ(create_one("g3"), error_code{});
}

TEST_F(RedisInstallation, SentinelsNameTheMaster) {
  RedisServerProcess first{{"--repl-diskless-sync-delay", "0"}};
  RedisServerProcess second{{"--repl-diskless-sync-delay", "0"}};
  RedisServerProcess sentinel{
      {"--sentinel"}, "sentinel monitor main 127.0.0.1 " + std::to_string(first.port()) + " 1\n"};
  RedisOptions options = redis_options_for(sentinel.port(), "{a}");
  options.access.setup = RedisSetup::sentinel;
  options.access.sentinel_master = "main";
  // The first one does not answer, so the next is asked.
  options.access.servers.insert(options.access.servers.begin(), {"127.0.0.1", 1});
  open(options);
  EXPECT_EQ(create_one("g1"), error_code{});
  EXPECT_EQ(RedisClient{first.port()}.ask({"GET", "{a}_s_g1"}), "submitted");

  // What a failover does: the Sentinels name another, and the old master is a replica of it.
  RedisClient client{sentinel.port()};
  client.ask({"SENTINEL", "REMOVE", "main"});
  client.ask({"SENTINEL", "MONITOR", "main", "127.0.0.1", std::to_string(second.port()), "1"});
  RedisClient{first.port()}.ask({"REPLICAOF", "127.0.0.1", std::to_string(second.port())});
  EXPECT_EQ(create_soon("g2"), error_code{});
  EXPECT_EQ(RedisClient{second.port()}.ask({"GET", "{a}_s_g2"}), "submitted");

  client.ask({"ACL", "SETUSER", "default", "resetpass", ">secret"});
  const auto refused = RedisStore::open(options, clock_, log_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("does not let this coordinator in"));
}

TEST_F(RedisInstallation, AClusterTellsWhereTheSlotIs) {
  RedisServerProcess first{{"--cluster-enabled", "yes"}};
  RedisServerProcess second{{"--cluster-enabled", "yes"}};
  RedisClient one{first.port()}, two{second.port()};
  one.ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(second.port())});
  // The slot of `a` is 15495, in the second half.
  one.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "8191"});
  two.ask({"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"});
  RedisOptions options = redis_options_for(first.port(), "{a}");
  options.access.setup = RedisSetup::cluster;
  open(options);
  EXPECT_EQ(create_soon("g1"), error_code{});
  EXPECT_EQ(two.ask({"GET", "{a}_s_g1"}), "submitted");
}

}  // namespace concerto::test
