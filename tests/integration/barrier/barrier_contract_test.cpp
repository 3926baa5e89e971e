// What one request after the other does.
#include "barrier_contract.hpp"

#include <stdexcept>

namespace concerto::test {
namespace {

TEST_P(BarrierContract, ARepeatedCallDoesNothing) {
  EXPECT_TRUE(call("action", 1));
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 1);
}

TEST_P(BarrierContract, ACompensationUndoesAnActionOnce) {
  EXPECT_TRUE(call("action", 1));
  EXPECT_TRUE(call("compensate", -1));
  EXPECT_TRUE(call("compensate", -1));
  EXPECT_EQ(balance(), 0);
}

TEST_P(BarrierContract, AnEmptyCompensationDoesNothing) {
  EXPECT_TRUE(call("compensate", -1));
  EXPECT_EQ(balance(), 0);
  EXPECT_EQ(bank_->rows_of(gid_), 2);
}

TEST_P(BarrierContract, AnActionAfterItsCompensationDoesNothing) {
  EXPECT_TRUE(call("compensate", -5));
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 0);
}

TEST_P(BarrierContract, CancelAndRollbackUndoTryAndAction) {
  EXPECT_TRUE(call("cancel", -5, "tcc"));
  EXPECT_TRUE(call("try", 1, "tcc"));
  EXPECT_TRUE(call("confirm", 10, "tcc"));  // Only its own row counts.
  EXPECT_EQ(balance(), 10);
  gid_ = new_gid();
  EXPECT_TRUE(call("rollback", -5, "workflow"));
  EXPECT_TRUE(call("action", 1, "workflow"));
  EXPECT_EQ(balance(), 10);
}

TEST_P(BarrierContract, TheCallsOfARequestHaveNumbers) {
  for (int repeated = 0; repeated < 2; ++repeated) {
    Barrier barrier = barrier_of("saga", gid_, "action");
    for (int i = 0; i < 2; ++i)
      EXPECT_TRUE(bank_->call(barrier, [&] {
        bank_->add(account_, 1);
        return ok();
      }));
  }
  EXPECT_EQ(balance(), 2);
  EXPECT_EQ(bank_->value("select max(barrier_id) from " + bank_->barrier_table() +
                         " where gid = '" + gid_ + "'"),
            "02");
}

TEST_P(BarrierContract, ARefusalRollsBackAndMayBeRepeated) {
  for (const auto& refuse : {branch_failure("no"), branch_ongoing("later")}) {
    Barrier barrier = barrier_of("saga", gid_, "action");
    const Result<> refused = bank_->call(barrier, [&] {
      bank_->add(account_, 5);
      return refuse;
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, refuse.error().code);
    EXPECT_EQ(bank_->rows_of(gid_), 0);
  }
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 1);
}

TEST_P(BarrierContract, AnExceptionRollsBackAndIsPassedOn) {
  Barrier barrier = barrier_of("saga", gid_, "action");
  const auto call_it = [&] {
    return bank_->call(barrier, [&]() -> Result<> {
      bank_->add(account_, 5);
      throw std::logic_error("a bug");
    });
  };
  EXPECT_THROW(static_cast<void>(call_it()), std::logic_error);
  EXPECT_EQ(bank_->rows_of(gid_), 0);
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 1);
}

TEST_P(BarrierContract, AWorkThatEndsTheTransactionIsAnError) {
  for (const char* end : {"commit", "rollback"}) {
    gid_ = new_gid();
    Barrier barrier = barrier_of("saga", gid_, "action");
    const Result<> ended = bank_->call(barrier, [&] {
      bank_->sql(end);
      return ok();
    });
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, BarrierErrc::wrong_state);
  }
}

TEST_P(BarrierContract, EnterIsForATransactionOfTheCaller) {
  for (const BarrierEntry want : {BarrierEntry::run, BarrierEntry::skip}) {
    Barrier barrier = barrier_of("saga", gid_, "action");
    bank_->sql("begin");
    const auto entry = bank_->enter(barrier);
    bank_->sql("commit");
    ASSERT_TRUE(entry);
    EXPECT_EQ(*entry, want);
  }
}

TEST_P(BarrierContract, EnterWithoutATransactionIsAnError) {
  Barrier barrier = barrier_of("saga", gid_, "action");
  const auto entry = bank_->enter(barrier);
  ASSERT_FALSE(entry);
  EXPECT_EQ(entry.error().code, BarrierErrc::wrong_state);
  EXPECT_EQ(bank_->rows_of(gid_), 0);
}

TEST_P(BarrierContract, CallWithinATransactionIsAnError) {
  bank_->sql("begin");
  bank_->add(account_, 5);
  const auto refused = call("action", 1);
  bank_->sql("rollback");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, BarrierErrc::wrong_state);
  EXPECT_EQ(balance(), 0);
}

TEST_P(BarrierContract, TheTableCanHaveAnotherName) {
  Barrier barrier = barrier_of("saga", gid_, "action");
  barrier.use_table(bank_->other_table());
  EXPECT_TRUE(bank_->call(barrier, [] { return ok(); }));
  EXPECT_EQ(bank_->rows_of(gid_), 0);
  EXPECT_EQ(
      bank_->value("select reason from " + bank_->other_table() + " where gid = '" + gid_ + "'"),
      "action");
}

TEST_P(BarrierContract, AMissingTableIsAnErrorOfTheDatabase) {
  Barrier barrier = barrier_of("saga", gid_, "action");
  barrier.use_table("no_such_table");
  const Result<> failed = bank_->call(barrier, [] { return ok(); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, BarrierErrc::database_failed);
  EXPECT_TRUE(call("action", 1));  // The connection can still be used.
}

TEST_P(BarrierContract, QuotesInAGidAreText) {
  const std::string plain = gid_;
  gid_ = plain + R"('\"%)";
  EXPECT_TRUE(call("action", 1));
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 1);
  EXPECT_EQ(bank_->rows_of(plain), 0);
}

TEST_P(BarrierContract, AMsgThatWasDoneIsSubmitted) {
  gid_ = new_gid();
  Barrier work = barrier_of("msg", gid_, "msg", "00");
  EXPECT_TRUE(bank_->call(work, [&] {
    bank_->add(account_, 1);
    return ok();
  }));
  Barrier question = barrier_of("msg", gid_, "msg", "00");
  EXPECT_TRUE(bank_->query_prepared(question));
  EXPECT_EQ(balance(), 1);
}

TEST_P(BarrierContract, AMsgThatWasNotDoneCannotBeDoneLater) {
  Barrier question = barrier_of("msg", gid_, "msg", "00");
  for (int repeated = 0; repeated < 2; ++repeated) {
    const Result<> answer = bank_->query_prepared(question);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, BarrierErrc::failure);
  }
  Barrier late = barrier_of("msg", gid_, "msg", "00");
  const Result<> refused = bank_->call(late, [&] {
    bank_->add(account_, 1);
    return ok();
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, BarrierErrc::duplicated);
  EXPECT_EQ(balance(), 0);
}

}  // namespace
}  // namespace concerto::test
