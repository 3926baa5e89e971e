#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis_store_under_test.hpp"

/// The layout in Redis, the reference beside Concerto, and faults, on a real server.
namespace concerto::test {

using testing::HasSubstr;
using testing::MatchesRegex;

class RedisStoreTest : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code commit_code(Change change) {
    const Result<> done = wait(store_->commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  void open(std::uint16_t port) {
    store_.reset();
    auto opened = RedisStore::open(redis_options_for(port, prefix_), clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }
  std::string key(const std::string& kind, const std::string& gid) const {
    return prefix_ + kind + gid;
  }
  std::vector<std::string> due() {
    std::vector<std::string> gids;
    for (const Transaction& trans : wait(store_->claim_due(10)).value()) {
      gids.push_back(trans.gid.str());
    }
    return gids;
  }
  /// Writes a transaction as the reference does, with its cron lock at `score`.
  void write_as_reference(RedisClient& client, const std::string& gid, const std::string& score) {
    client.ask({"SET", key("_g_", gid),
                R"({"id":0,"create_time":"2026-11-23T05:46:42Z","update_time":null,"gid":")" + gid +
                    R"(","trans_type":"saga","status":"submitted","protocol":"http",)"
                    R"("steps":[{"action":"a"}],"options":"{\"concurrent\":false}",)"
                    R"("next_cron_interval":10,"concurrent":false})",
                "EX", "600"});
    client.ask({"SET", key("_s_", gid), "submitted", "EX", "600"});
    client.ask({"RPUSH", key("_b_", gid),
                R"({"id":0,"gid":")" + gid +
                    R"(","url":"http://b/a","bin_data":"e30=","branch_id":"01","op":"action",)"
                    R"("status":"prepared"})"});
    client.ask({"ZADD", prefix_ + "_u", score, gid});
  }

  const std::string prefix_ = new_prefix();
  asio::io_context io_{1};
  StoreClock clock_;
  LogLines log_;
  std::unique_ptr<RedisStore> store_;
};

TEST_F(RedisStoreTest, KeysAreThoseOfTheReference) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  EXPECT_EQ(client.ask({"GET", key("_s_", "g1")}), "submitted");
  EXPECT_EQ(client.ask({"LLEN", key("_b_", "g1")}), "4");
  EXPECT_THAT(client.ask({"GET", key("_g_", "g1")}), HasSubstr(R"("status":"submitted")"));
  EXPECT_THAT(client.ask({"ZSCORE", prefix_ + "_u", "g1"}), MatchesRegex("[0-9]+\\.5"));
  EXPECT_GT(std::stoi(client.ask({"TTL", key("_g_", "g1")})), 604'000);
  ASSERT_EQ(commit_code(update("g1", TransStatus::submitted, new_status(TransStatus::failed, 1))),
            error_code{});
  EXPECT_EQ(client.ask({"GET", key("_s_", "g1")}), "failed");
  EXPECT_EQ(client.ask({"ZSCORE", prefix_ + "_u", "g1"}), "");
  for (const char* kind : {"_g_", "_b_", "_s_"}) {
    EXPECT_LE(std::stoi(client.ask({"TTL", key(kind, "g1")})), 86'400) << kind;
  }
}

TEST_F(RedisStoreTest, WhatTheReferenceLeftIsTakenOver) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  write_as_reference(client, "r1", "1000");
  const auto claimed = wait(store_->claim_due(10)).value();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_TRUE(claimed[0].waits);
  EXPECT_EQ(claimed[0].payloads, std::vector<std::string>{"{}"});
  const TransDelta done = outcome(0, BranchStatus::succeed, 1);
  ASSERT_EQ(commit_code(update("r1", TransStatus::submitted, done)), error_code{});
  // What Concerto does not know stays as it is.
  EXPECT_THAT(client.ask({"GET", key("_g_", "r1")}), HasSubstr(R"("steps":[{"action":"a"}])"));
  EXPECT_THAT(client.ask({"LINDEX", key("_b_", "r1"), "0"}), HasSubstr(R"("status":"succeed")"));
}

TEST_F(RedisStoreTest, WhatTheReferenceWorksOnIsLeftAloneUntilItsTime) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  write_as_reference(client, "r1", "99999999999");
  EXPECT_TRUE(due().empty());
  EXPECT_FALSE(wait(store_->claim(Gid{"r1"}, Claim::if_free)).value().is_ours);
  EXPECT_TRUE(wait(store_->claim(Gid{"r1"}, Claim::always)).value().is_ours);
}

TEST_F(RedisStoreTest, ACronLockOfTheReferenceEndsTheLease) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  client.ask({"ZADD", prefix_ + "_u", "99999999999", "g1"});
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))),
            EngineErrc::lease_lost);
}

TEST_F(RedisStoreTest, ARecordThatTheReferenceWroteWholeIsItsOwn) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  const std::string lease = client.ask({"ZSCORE", prefix_ + "_u", "g1"});
  write_as_reference(client, "g1", lease);
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))),
            EngineErrc::lease_lost);
  EXPECT_FALSE(wait(store_->claim(Gid{"g1"}, Claim::if_free)).value().is_ours);
}

TEST_F(RedisStoreTest, TransactionsOfTheReferenceAreListedAfterTheUpkeep) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  write_as_reference(client, "r1", "99999999999");
  ASSERT_TRUE(store_->maintain());
  TransPage page = wait(store_->list({}, "", 10)).value();
  ASSERT_EQ(page.transactions.size(), 1U);
  EXPECT_EQ(page.transactions[0].gid.str(), "r1");
  client.ask({"DEL", key("_g_", "r1"), key("_s_", "r1"), key("_b_", "r1")});
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(client.ask({"ZCARD", prefix_ + "_u"}), "0");
  EXPECT_EQ(client.ask({"ZCARD", prefix_ + "_c_all"}), "0");
}

TEST_F(RedisStoreTest, ADamagedRecordIsNamedAndHoldsUpNoOther) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  const std::vector<std::string> damaged = {"{", "7", R"({"status":"submitted","id":1e999})"};
  for (std::size_t i = 0; i < damaged.size(); ++i) {
    const std::string gid = "bad" + std::to_string(i);
    client.ask({"SET", key("_g_", gid), damaged[i]});
    client.ask({"ZADD", prefix_ + "_u", "1000", gid});
  }
  write_as_reference(client, "r1", "2000");
  EXPECT_EQ(due(), std::vector<std::string>{"r1"});
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'bad0' is damaged: "));
  EXPECT_EQ(client.ask({"GET", key("_g_", "bad0")}), "{");
  EXPECT_TRUE(due().empty());
  const std::vector<Gid> lost = wait(store_->renew({Gid{"bad0"}, Gid{"r1"}})).value();
  EXPECT_EQ(lost, std::vector<Gid>{Gid{"bad0"}});
}

TEST_F(RedisStoreTest, ARecordThatNoListCanShowIsNamed) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  client.ask({"SET", key("_g_", "hidden"), "7"});
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'hidden' is damaged: "));
}

TEST_F(RedisStoreTest, ALongLeaseIsCountedBehindManyThatRest) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  RedisOptions options = redis_options_for(shared_server().port(), prefix_);
  options.times.lease = std::chrono::minutes(50);
  const auto other = RedisStore::open(std::move(options), clock_, log_).value();
  const Transaction held = sample_saga("held");
  ASSERT_TRUE(wait(other->commit(create(held))));
  const std::string soon = std::to_string(std::time(nullptr) + 100) + ".25";
  for (int i = 0; i < 11'000; ++i) {
    client.ask({"ZADD", prefix_ + "_u", soon, "rests" + std::to_string(i)});
  }
  EXPECT_EQ(wait(store_->work_of_others()).value().count, 1U);
  other->close();
}

TEST_F(RedisStoreTest, WhatTheReferenceHadJustNowCountsAsInWork) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  const std::time_t now = std::time(nullptr);
  write_as_reference(client, "just now", std::to_string(now + 5));
  write_as_reference(client, "long ago", std::to_string(now + 3'000));
  client.ask(
      {"SET", key("_g_", "long ago"), R"({"status":"submitted","next_cron_interval":3600})"});
  write_as_reference(client, "due", std::to_string(now - 5));
  EXPECT_EQ(wait(store_->work_of_others()).value().count, 1U);
}

TEST_F(RedisStoreTest, AGidNeedNotBeUtf8) {
  open(shared_server().port());
  const std::string gid = "g\xff";
  for (const std::string& one : {std::string("g1"), gid, std::string("g3")}) {
    ASSERT_EQ(commit_code(create(sample_saga(one))), error_code{});
  }
  EXPECT_EQ(wait(store_->load(Gid{gid})).value()->gid.str(), gid);
  EXPECT_EQ(store_->as_kept(sample_saga(gid)).value().gid.str(), gid);
  EXPECT_EQ(wait(store_->claim(Gid{gid}, Claim::if_free)).value().trans->gid.str(), gid);
  std::vector<std::string> listed;
  for (const Transaction& trans : wait(store_->list({}, "", 10)).value().transactions) {
    listed.push_back(trans.gid.str());
  }
  EXPECT_EQ(listed, (std::vector<std::string>{"g3", gid, "g1"}));
}

TEST_F(RedisStoreTest, AFinishedRecordWithoutAnEndIsNotLostByANewSchedule) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  ASSERT_EQ(commit_code(update("g1", TransStatus::submitted, new_status(TransStatus::failed, 1))),
            error_code{});
  client.ask({"PERSIST", key("_g_", "g1")});
  TransDelta delta;
  delta.at = at_second(2);
  delta.schedule = Schedule{std::chrono::seconds{10}, at_second(3), false};
  ASSERT_EQ(commit_code(update("g1", TransStatus::failed, delta)), error_code{});
  EXPECT_GT(std::stoi(client.ask({"TTL", key("_g_", "g1")})), 80'000);
}

TEST_F(RedisStoreTest, ABacklogThatIsNotCountedHasItsOldestTransaction) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("oldest", 1))), error_code{});
  client.ask({"ZADD", prefix_ + "_u", "99999999999.5", "oldest"});
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(commit_code(create(sample_saga("g" + std::to_string(i), 2))), error_code{});
  }
  const Backlog backlog = wait(store_->backlog()).value();
  EXPECT_FALSE(backlog.is_complete);
  EXPECT_EQ(backlog.by_type[static_cast<std::size_t>(TransType::saga)], 1'000U);
  EXPECT_EQ(backlog.oldest, at_second(1));
}

TEST_F(RedisStoreTest, ScriptsThatRedisForgotAreLoadedAgain) {
  open(shared_server().port());
  RedisClient client{shared_server().port()};
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  client.ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), error_code{});
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 1))),
            error_code{});
}

TEST_F(RedisStoreTest, ALostAnswerOfEachChangeIsSettled) {
  LossyProxy proxy{shared_server().port()};
  open(proxy.port());
  proxy.lose_next_answer();
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  EXPECT_EQ(proxy.lost(), 1);
  proxy.lose_next_answer();
  ASSERT_EQ(commit_code(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))),
            error_code{});
  TransDelta delta;
  delta.at = at_second(2);
  delta.new_branches = {sample_branch("03", "try")};
  proxy.lose_next_answer();
  ASSERT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), error_code{});
  proxy.lose_next_answer();
  ASSERT_TRUE(wait(store_->create_kv(sample_topic("t", "a"))));
  proxy.lose_next_answer();
  ASSERT_TRUE(wait(store_->update_kv(sample_topic("t", "b"))));
  EXPECT_EQ(proxy.lost(), 5);
  EXPECT_EQ(wait(store_->load(Gid{"g1"})).value()->branches.size(), 5U);
  EXPECT_EQ(wait(store_->find_kv("topics", "t")).value().front().version, 2);
}

TEST_F(RedisStoreTest, IsBackAfterTheServerIs) {
  RedisServerProcess server{{"--appendfsync", "always"}};
  open(server.port());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  EXPECT_THAT(log_.take(), HasSubstr("acknowledged changes survive a crash"));
  EXPECT_TRUE(store_->health().warnings.empty());
  server.kill();
  EXPECT_EQ(wait(store_->load(Gid{"g1"})).error().code, EngineErrc::store_busy);
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), EngineErrc::store_busy);
  EXPECT_EQ(store_->health().state, StoreHealth::State::recovering);
  server.start();
  // The store looks for the server by itself.
  while (store_->health().state != StoreHealth::State::serving) std::this_thread::yield();
  EXPECT_THAT(log_.take(), MatchesRegex("the store is away: [^\n]*(refused|was lost: [^\n]*)\n"
                                        "(the store is still away after [^\n]*\n)?"
                                        "the store is back after [0-9.]+ s\n"));
  EXPECT_TRUE(wait(store_->load(Gid{"g1"})).value().has_value());
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), error_code{});
}

TEST_F(RedisStoreTest, OpensWithoutAServer) {
  RedisServerProcess server;
  server.kill();
  open(server.port());
  EXPECT_EQ(commit_code(create(sample_saga("g1"))), EngineErrc::store_busy);
  EXPECT_EQ(store_->health().state, StoreHealth::State::recovering);
}

TEST_F(RedisStoreTest, AFullMemoryRefusesNewTransactions) {
  RedisServerProcess server{{"--maxmemory-policy", "noeviction"}};
  open(server.port());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  RedisClient client{server.port()};
  client.ask({"CONFIG", "SET", "maxmemory", "1"});
  log_.take();
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), Errc::overloaded);
  EXPECT_EQ(store_->health().state, StoreHealth::State::refusing);
  EXPECT_THAT(log_.take(), MatchesRegex("Redis has no memory for new transactions .*\n"));
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))),
            EngineErrc::store_busy);
  EXPECT_TRUE(wait(store_->load(Gid{"g1"})).value().has_value());
  EXPECT_EQ(number_in(*store_, "refused_total"), 1);
  EXPECT_EQ(number_in(*store_, "refused_by_memory_total"), 2);
  client.ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(commit_code(create(sample_saga("g3"))), error_code{});
  while (store_->health().state != StoreHealth::State::serving) std::this_thread::yield();
}

TEST_F(RedisStoreTest, RefusesForTheMomentWhileRedisRefusesChanges) {
  RedisServerProcess server;
  open(server.port());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  RedisClient client{server.port()};
  client.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), EngineErrc::store_busy);
  EXPECT_EQ(store_->health().state, StoreHealth::State::recovering);
  EXPECT_TRUE(store_->maintain());  // Finds nothing to write, so nothing is refused.
  EXPECT_THAT(store_->health().reasons, testing::Contains(HasSubstr("too few replicas")));
  EXPECT_EQ(number_in(*store_, "refused_by_replicas_total"), 1);
  EXPECT_TRUE(wait(store_->load(Gid{"g1"})).value().has_value());
  client.ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  // The store finds out by itself, so that a load balancer sends requests again.
  while (store_->health().state != StoreHealth::State::serving) std::this_thread::yield();
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), error_code{});
}

TEST_F(RedisStoreTest, AServerThatBecameAReplicaIsLeft) {
  RedisServerProcess server;
  open(server.port());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  RedisClient client{server.port()};
  client.ask({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), EngineErrc::store_busy);
  client.ask({"REPLICAOF", "NO", "ONE"});
  error_code last = EngineErrc::store_busy;
  while (last == EngineErrc::store_busy) last = commit_code(create(sample_saga("g2")));
  EXPECT_EQ(last, error_code{});
}

TEST_F(RedisStoreTest, AChangeWaitsForItsReplicas) {
  RedisServerProcess server{{"--repl-diskless-sync-delay", "0"}};
  RedisServerProcess replica;
  RedisOptions options = redis_options_for(server.port(), prefix_);
  options.wait.replicas = 1;
  RedisClient client{replica.port()};
  client.ask({"REPLICAOF", "127.0.0.1", std::to_string(server.port())});
  RedisClient{server.port()}.ask({"WAIT", "1", "0"});
  store_ = std::move(RedisStore::open(options, clock_, log_).value());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  EXPECT_EQ(client.ask({"GET", key("_s_", "g1")}), "submitted");
}

TEST_F(RedisStoreTest, IsAwayAfterAnOutageUntilItsReplicasAreBack) {
  RedisServerProcess server{{"--repl-diskless-sync-delay", "0"}};
  RedisServerProcess replica;
  RedisOptions options = redis_options_for(server.port(), prefix_);
  options.wait.replicas = 1;
  RedisClient client{server.port()}, of_replica{replica.port()};
  const auto follow = [&of_replica, &server] {
    of_replica.ask({"REPLICAOF", "127.0.0.1", std::to_string(server.port())});
  };
  follow();
  client.ask({"WAIT", "1", "0"});
  store_ = std::move(RedisStore::open(options, clock_, log_).value());
  ASSERT_EQ(commit_code(create(sample_saga("g1"))), error_code{});
  of_replica.ask({"REPLICAOF", "NO", "ONE"});
  client.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  while (store_->health().state == StoreHealth::State::serving) std::this_thread::yield();
  EXPECT_THAT(store_->health().reasons.front(), HasSubstr("fewer replicas than 1"));
  follow();
  while (store_->health().state != StoreHealth::State::serving) std::this_thread::yield();
  EXPECT_EQ(commit_code(create(sample_saga("g2"))), error_code{});
}

TEST_F(RedisStoreTest, ClosesWhileItsUpkeepWaitsForReplicas) {
  RedisServerProcess server{{"--repl-diskless-sync-delay", "0"}};
  RedisServerProcess replica;
  RedisClient client{server.port()}, of_replica{replica.port()};
  write_as_reference(client, "r1", "99999999999");  // The upkeep indexes it, or waits before.
  of_replica.ask({"REPLICAOF", "127.0.0.1", std::to_string(server.port())});
  client.ask({"WAIT", "1", "0"});
  replica.freeze();
  RedisOptions options = redis_options_for(server.port(), prefix_);
  options.wait.replicas = 1;
  store_ = std::move(RedisStore::open(options, clock_, log_).value());
  while (store_->health().state == StoreHealth::State::serving) std::this_thread::yield();
  for (int i = 0; i < 20'000 && client.ask({"ZCARD", prefix_ + "_c_all"}) != "1"; ++i) continue;
  store_.reset();
}

}  // namespace concerto::test
