// What a service leaves that is killed (kill -9) between its change and the commit.
#include <thread>

#include "barrier_contract.hpp"
#include "killed_service.hpp"

namespace concerto::test {
namespace {

TEST_P(BarrierContract, AKilledServiceLeavesNothingBehind) {
  KilledService service([this](const auto& die) { serve_until("action", 1, die); });
  service.kill();
  EXPECT_EQ(balance(), 0);
  EXPECT_EQ(bank_->rows_of(gid_), 0);
  EXPECT_TRUE(call("action", 1));
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 1);
}

TEST_P(BarrierContract, AKilledCompensationIsMadeAgain) {
  EXPECT_TRUE(call("action", 1));
  KilledService service([this](const auto& die) { serve_until("compensate", -1, die); });
  service.kill();
  EXPECT_EQ(balance(), 1);
  EXPECT_TRUE(call("compensate", -1));
  EXPECT_TRUE(call("compensate", -1));
  EXPECT_EQ(balance(), 0);
}

/// The compensation waits for an action that hangs. The action's service is killed, so there is
/// nothing to undo. When the action is repeated, it comes too late.
TEST_P(BarrierContract, ACompensationAfterAKilledActionIsEmpty) {
  KilledService service([this](const auto& die) { serve_until("action", 1, die); });
  std::thread compensation([this] {
    const auto own = bank_->again();
    EXPECT_TRUE(until_answered([&] { return call_on(*own, "compensate", -1); }));
  });
  service.kill();
  compensation.join();
  EXPECT_TRUE(call("action", 1));
  EXPECT_EQ(balance(), 0);
  EXPECT_EQ(bank_->rows_of(gid_), 2);
}

TEST_P(XaContract, AServiceThatIsKilledBeforeItPreparesLeavesNothingBehind) {
  KilledService service([this](const auto& die) {
    const auto own = bank_->again();
    Barrier barrier = barrier_of("xa", gid_, "action");
    static_cast<void>(own->xa(barrier, [&] {
      own->add(account_, 1);
      die();
      return ok();
    }));
  });
  service.kill();
  ASSERT_TRUE(until_answered([this] { return prepare(); }));  // Once the server has noticed.
  EXPECT_EQ(balance(), 0);
  EXPECT_TRUE(xa(*bank_, "commit"));
  EXPECT_EQ(balance(), 1);
}

}  // namespace
}  // namespace concerto::test
