#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <concerto/barrier/redis.hpp>

#include "bank.hpp"
#include "killed_service.hpp"

namespace concerto::test {
namespace {

using std::chrono::hours;

constexpr const char* no_value = "(none)";

class RedisBarrier : public testing::Test {
 protected:
  using Connection = std::unique_ptr<redisContext, decltype(&redisFree)>;

  static Connection connect() {
    Connection opened(redisConnect("127.0.0.1", port_of("CONCERTO_TEST_REDIS")), &redisFree);
    if (opened == nullptr || opened->err != 0) throw std::runtime_error("no Redis");
    return opened;
  }

  std::string get(const std::string& key) { return command({"GET", key}); }
  void set(const std::string& key, const std::string& value) { command({"SET", key, value}); }
  std::string command(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    for (const auto& word : words) texts.push_back(word.c_str());
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(
        redisCommandArgv(redis_.get(), static_cast<int>(texts.size()), texts.data(), nullptr),
        &freeReplyObject);
    const auto* reply = static_cast<const redisReply*>(owner.get());
    if (reply->type == REDIS_REPLY_INTEGER) return std::to_string(reply->integer);
    return reply->str == nullptr ? no_value : reply->str;
  }
  Result<> adjust(const std::string& op, std::int64_t amount,
                  const std::string& trans_type = "saga") {
    Barrier barrier = barrier_of(trans_type, gid_, op);
    return redis_check_adjust_amount(barrier, redis_.get(), account_, amount, hours{1});
  }

  Connection redis_ = connect();
  std::string gid_ = new_gid();
  std::string account_ = "of-" + gid_;
};

/// The code of docs/barrier.md.
Result<> take(redisContext* redis, Barrier& barrier, const std::string& account) {
  if (barrier.op() == "msg") return redis_query_prepared(barrier, redis, std::chrono::hours{24});
  return redis_check_adjust_amount(barrier, redis, account, -30, std::chrono::hours{24});
}

TEST_F(RedisBarrier, TheGuidesBranchTakes) {
  set(account_, "40");
  Barrier action = barrier_of("saga", gid_, "action");
  EXPECT_TRUE(take(redis_.get(), action, account_));
  EXPECT_EQ(get(account_), "10");
}

TEST_F(RedisBarrier, ARepeatedCallDoesNothing) {
  set(account_, "10");
  EXPECT_TRUE(adjust("action", -10));
  EXPECT_TRUE(adjust("action", -10));  // Although there is no money left.
  EXPECT_EQ(get(account_), "0");
  EXPECT_EQ(get(gid_ + "-01-action-01"), "op");  // The key of the SDK for Go.
  EXPECT_LE(std::stoi(command({"TTL", gid_ + "-01-action-01"})), 3600);
}

TEST_F(RedisBarrier, ACompensationUndoesAnActionOnce) {
  set(account_, "10");
  EXPECT_TRUE(adjust("action", -10));
  EXPECT_TRUE(adjust("compensate", 10));
  EXPECT_TRUE(adjust("compensate", 10));
  EXPECT_EQ(get(account_), "10");
}

TEST_F(RedisBarrier, AnEmptyCompensationDoesNothingAndStopsTheLateAction) {
  set(account_, "0");
  EXPECT_TRUE(adjust("compensate", -10));
  EXPECT_TRUE(adjust("action", 10));
  EXPECT_EQ(get(account_), "0");
  EXPECT_EQ(get(gid_ + "-01-action-01"), "rollback");
}

TEST_F(RedisBarrier, TooLittleMoneyIsAFailureThatLeavesNothing) {
  for (const char* balance : {"9", ""}) {
    if (*balance != '\0') set(account_, balance);
    const Result<> refused = adjust("try", -10, "tcc");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, BarrierErrc::failure);
    EXPECT_EQ(get(gid_ + "-01-try-01"), no_value);
    command({"DEL", account_});
  }
}

/// Redis keeps what a script did before its error.
TEST_F(RedisBarrier, AValueThatIsNoIntegerIsAnErrorThatLeavesNothing) {
  set(account_, "1.5");
  const Result<> failed = adjust("action", 1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, BarrierErrc::database_failed);
  EXPECT_EQ(get(gid_ + "-01-action-01"), no_value);
}

/// A reply to another command must not be taken for that of the barrier.
TEST_F(RedisBarrier, AConnectionInAWrongStateIsAnError) {
  set(account_, "10");
  const auto call = [this](redisContext* redis) {
    Barrier barrier = barrier_of("saga", gid_, "action");
    const Result<> done = redis_check_adjust_amount(barrier, redis, account_, -30, hours{1});
    return done ? error_code() : done.error().code;
  };
  EXPECT_EQ(call(nullptr), BarrierErrc::wrong_state);
  const Connection refused(redisConnect("127.0.0.1", 1), &redisFree);
  EXPECT_EQ(call(refused.get()), BarrierErrc::database_failed);
  const Connection does_not_block(redisConnectNonBlock("127.0.0.1", port_of("CONCERTO_TEST_REDIS")),
                                  &redisFree);
  EXPECT_EQ(call(does_not_block.get()), BarrierErrc::wrong_state);
  const Connection has_unread = connect();
  redisAppendCommand(has_unread.get(), "GET %s", account_.c_str());
  EXPECT_EQ(call(has_unread.get()), BarrierErrc::wrong_state);
  const Connection queues = connect();
  freeReplyObject(redisCommand(queues.get(), "MULTI"));
  EXPECT_EQ(call(queues.get()), BarrierErrc::wrong_state);
}

TEST_F(RedisBarrier, OfCallsAtTheSameTimeOneCounts) {
  set(account_, "0");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto own = connect();
      Barrier barrier = barrier_of("saga", gid_, "action");
      EXPECT_TRUE(redis_check_adjust_amount(barrier, own.get(), account_, 7, hours{1}));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(get(account_), "7");
}

TEST_F(RedisBarrier, AnActionAndItsCompensationAtTheSameTimeLeaveNothing) {
  set(account_, "0");
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    gid_ = new_gid();
    std::vector<std::thread> threads;
    for (const auto& [op, amount] : {std::pair("action", 1), std::pair("compensate", -1)}) {
      threads.emplace_back([this, op = op, amount = amount] {
        const auto own = connect();
        Barrier barrier = barrier_of("saga", gid_, op);
        EXPECT_TRUE(redis_check_adjust_amount(barrier, own.get(), account_, amount, hours{1}));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(get(account_), "0");
  }
}

/// Change and commit are one script, so the service can only die before the script or after it.
TEST_F(RedisBarrier, AServiceThatIsKilledBeforeItsAnswerHasDoneTheWorkOnce) {
  set(account_, "0");
  KilledService service([this](const auto& die) {
    const auto own = connect();
    Barrier barrier = barrier_of("saga", gid_, "action");
    if (redis_check_adjust_amount(barrier, own.get(), account_, 7, hours{1})) die();
  });
  service.kill();
  EXPECT_EQ(get(account_), "7");
  EXPECT_TRUE(adjust("action", 7));
  EXPECT_EQ(get(account_), "7");
}

TEST_F(RedisBarrier, AQuestionAboutAMsgAgreesWithItsWork) {
  set(account_, "0");
  Barrier work = barrier_of("msg", gid_, "msg", "00");
  EXPECT_TRUE(redis_check_adjust_amount(work, redis_.get(), account_, 1, hours{1}));
  EXPECT_TRUE(redis_query_prepared(work, redis_.get(), hours{1}));

  gid_ = new_gid();
  Barrier late = barrier_of("msg", gid_, "msg", "00");
  const Result<> answer = redis_query_prepared(late, redis_.get(), hours{1});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, BarrierErrc::failure);
  const Result<> refused = redis_check_adjust_amount(late, redis_.get(), account_, 1, hours{1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, BarrierErrc::duplicated);
  EXPECT_EQ(get(account_), "1");
}

TEST_F(RedisBarrier, AnExpiryMustBePositive) {
  Barrier barrier = barrier_of("saga", gid_, "action");
  const auto refused =
      redis_check_adjust_amount(barrier, redis_.get(), account_, 1, std::chrono::seconds{0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_request);
}

}  // namespace
}  // namespace concerto::test
