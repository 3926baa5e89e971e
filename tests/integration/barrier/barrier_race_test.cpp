// What requests at the same time do.
#include <thread>
#include <vector>

#include "barrier_contract.hpp"

namespace concerto::test {
namespace {

TEST_P(BarrierContract, OfRequestsAtTheSameTimeOneDoesTheWork) {
  constexpr int rounds = 10;
  for (int round = 1; round <= rounds; ++round) {
    gid_ = new_gid();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto bank = bank_->again();
        EXPECT_TRUE(until_answered([&] { return call_on(*bank, "action", 1); }));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(balance(), round);
  }
}

TEST_P(BarrierContract, AnActionAndItsCompensationAtTheSameTimeLeaveNothing) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    gid_ = new_gid();
    std::vector<std::thread> threads;
    for (const auto& [op, amount] : {std::pair("action", 1), std::pair("compensate", -1)}) {
      threads.emplace_back([this, op = op, amount = amount] {
        const auto bank = bank_->again();
        EXPECT_TRUE(until_answered([&] {
          Barrier barrier = barrier_of("saga", gid_, op);
          return bank->call(barrier, [&] {
            bank->add(account_, amount);
            EXPECT_GE(bank->balance(account_), 0);  // Nothing is undone that was not done.
            return ok();
          });
        }));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(balance(), 0);
    EXPECT_EQ(bank_->rows_of(gid_), 2);
  }
}

/// The compensation comes while the action is in the middle of its work: it waits for the end.
TEST_P(BarrierContract, ACompensationWaitsForTheActionThatRuns) {
  std::thread compensation;
  const auto other = bank_->again();
  Barrier barrier = barrier_of("saga", gid_, "action");
  EXPECT_TRUE(bank_->call(barrier, [&] {
    compensation = std::thread(
        [&] { EXPECT_TRUE(until_answered([&] { return call_on(*other, "compensate", -1); })); });
    bank_->add(account_, 1);
    return ok();
  }));
  compensation.join();
  EXPECT_EQ(balance(), 0);
}

TEST_P(BarrierContract, AQuestionAboutAMsgAgreesWithItsWork) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    gid_ = new_gid();
    const std::int64_t before = balance();
    Result<> worked = ok();
    std::thread work([&] {
      const auto bank = bank_->again();
      worked = until_answered([&] {
        Barrier barrier = barrier_of("msg", gid_, "msg", "00");
        return bank->call(barrier, [&] {
          bank->add(account_, 1);
          return ok();
        });
      });
    });
    const Result<> answer = until_answered([&] {
      Barrier question = barrier_of("msg", gid_, "msg", "00");
      return bank_->query_prepared(question);
    });
    work.join();
    EXPECT_EQ(bool(answer), bool(worked));
    EXPECT_EQ(balance() - before, answer ? 1 : 0);
  }
}

}  // namespace
}  // namespace concerto::test
