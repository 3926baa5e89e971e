#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "bank.hpp"

namespace concerto::test {

/// As a coordinator does: again after an error that allows it.
inline Result<> until_answered(const std::function<Result<>()>& request) {
  constexpr int attempts_max = 1000;
  Result<> answer = request();
  for (int i = 0; i < attempts_max && !answer; ++i) {
    if (answer.error().code != Condition::retry_later) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    answer = request();
  }
  return answer;
}

/// What a barrier does on every database. The parameter opens the database.
class BarrierContract : public testing::TestWithParam<OpenBank> {
 protected:
  void SetUp() override {
    bank_ = GetParam()();
    gid_ = new_gid();
    account_ = "of-" + gid_;
    bank_->open_account(account_);
  }

  /// A request of the transaction's branch 01, which adds to the account.
  Result<> call(const std::string& op, std::int64_t amount,
                const std::string& trans_type = "saga") {
    return call_on(*bank_, op, amount, trans_type);
  }
  Result<> call_on(Bank& bank, const std::string& op, std::int64_t amount,
                   const std::string& trans_type = "saga") const {
    Barrier barrier = barrier_of(trans_type, gid_, op);
    return bank.call(barrier, [&] {
      bank.add(account_, amount);
      return ok();
    });
  }
  /// A service with a connection of its own, which calls `die` between its change and the commit.
  void serve_until(const std::string& op, std::int64_t amount,
                   const std::function<void()>& die) const {
    const auto own = bank_->again();
    Barrier barrier = barrier_of("saga", gid_, op);
    static_cast<void>(own->call(barrier, [&] {
      own->add(account_, amount);
      die();
      return ok();
    }));
  }
  std::int64_t balance() { return bank_->balance(account_); }

  std::unique_ptr<Bank> bank_;
  std::string gid_;
  std::string account_;
};

/// The same for databases with XA.
class XaContract : public BarrierContract {
 protected:
  /// On a connection of its own, which is closed afterwards.
  Result<> prepare() const { return xa(*bank_->again(), "action"); }
  Result<> xa(Bank& bank, const std::string& op) const {
    Barrier barrier = barrier_of("xa", gid_, op);
    return bank.xa(barrier, [&] {
      bank.add(account_, 1);
      return ok();
    });
  }
};

}  // namespace concerto::test
