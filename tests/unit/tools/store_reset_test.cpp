#include "store_reset.hpp"

#include <deque>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/error.hpp>

#include "coordinator_world.hpp"
#include "fake_clock.hpp"

namespace concerto::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A script, or an operator with answers.
class ScriptedCaller final : public ResetCaller {
 public:
  explicit ScriptedCaller(test::FakeClock& clock) : clock_(clock) {}

  bool at_terminal = false;
  std::optional<std::string> answer;
  std::vector<std::string> questions;

  bool is_at_terminal() const override { return at_terminal; }
  std::optional<std::string> ask(const std::string& question) override {
    questions.push_back(question);
    return answer;
  }
  void wait(milliseconds time) override { clock_.advance(time); }

 private:
  test::FakeClock& clock_;
};

/// A store that others may work on until a moment.
class StoreResetTest : public testing::Test {
 protected:
  StoreResetTest() {
    kind_.name = "shared";
    kind_.place = [](const persist::StoreSettings&) { return "the database 'bank'"; };
    kind_.count_unfinished = [this](const auto&, const Clock&, Observer&) { return unfinished_; };
    kind_.work_of_others = [this](const auto&, const Clock&,
                                  Observer&) -> Result<persist::WorkOfOthers> {
      if (look_fails_) return *look_fails_;
      return look();
    };
    kind_.drop = [this](const persist::StoreSettings&) -> Result<> {
      dropped_ = true;
      return ok();
    };
  }

  /// The reason why nothing was dropped, or an empty text.
  std::string reset(ResetOrder order = {}) {
    const Result<> done = reset_store(kind_, settings_, order, caller_, clock_, log_);
    EXPECT_EQ(done.has_value(), dropped_);
    return done ? std::string() : done.error().detail;
  }
  void others_work(std::size_t held, seconds time) {
    held_ = held;
    held_until_ = clock_.steady_now() + time;
    unfinished_ = std::optional<std::size_t>(held + 2);
  }

  persist::WorkOfOthers look() {
    persist::WorkOfOthers work;
    const SteadyTime now = clock_.steady_now();
    if (next_looks_.empty()) {
      if (now >= held_until_) return work;
      work.count = held_;
      work.free_in = std::chrono::duration_cast<milliseconds>(held_until_ - now);
    } else {
      work = next_looks_.front();
      next_looks_.pop_front();
    }
    return work;
  }

  static constexpr seconds for_ever = std::chrono::hours{1};

  persist::StoreKind kind_;
  persist::StoreSettings settings_;
  test::FakeClock clock_;
  test::RecordingObserver log_;
  ScriptedCaller caller_{clock_};
  Result<std::optional<std::size_t>> unfinished_ = std::optional<std::size_t>(0);
  std::size_t held_ = 0;
  SteadyTime held_until_{};
  std::deque<persist::WorkOfOthers> next_looks_;
  std::optional<Error> look_fails_;
  bool dropped_ = false;
};

TEST_F(StoreResetTest, AScriptIsNotAskedWhereNobodyWorks) {
  unfinished_ = std::optional<std::size_t>(3);
  const SteadyTime begun = clock_.steady_now();
  EXPECT_EQ(reset(), "");
  EXPECT_EQ(clock_.steady_now(), begun);
  EXPECT_THAT(caller_.questions, IsEmpty());
}

TEST_F(StoreResetTest, AScriptDropsNothingThatOthersWorkOn) {
  others_work(1, for_ever);
  EXPECT_EQ(reset({.yes = true}),
            "the database 'bank' is in use: others (coordinators, or servers of DTM) work on 1 "
            "transaction there. Stop all of them first; what a killed one had is free when its "
            "leases end, after some seconds. To drop everything while they work, add "
            "--even-in-use. Nothing was changed.");
  EXPECT_THAT(caller_.questions, IsEmpty());
}

TEST_F(StoreResetTest, AScriptWaitsForTheLeasesOfAKilledCoordinator) {
  others_work(7, seconds(14));
  EXPECT_EQ(reset(), "");
}

TEST_F(StoreResetTest, AScriptWaitsForAsLongAsALeaseIs) {
  settings_.database.lease = seconds(60);
  others_work(7, seconds(59));
  EXPECT_EQ(reset(), "");
}

TEST_F(StoreResetTest, AScriptDropsNothingOfCoordinatorsThatALaterLookFindsWithoutWork) {
  others_work(2, for_ever);
  next_looks_ = {{2, seconds(15)}, {0, std::nullopt}};
  EXPECT_THAT(reset(), HasSubstr("work on 2 transactions there"));
}

TEST_F(StoreResetTest, LeasesThatAreRenewedAreNotThoseOfAKilledCoordinator) {
  others_work(2, for_ever);
  for (int look = 0; look < 8; ++look) next_looks_.push_back({1, seconds(15)});
  const SteadyTime begun = clock_.steady_now();
  EXPECT_THAT(reset(), HasSubstr("work on 1 transaction there"));
  EXPECT_LT(clock_.steady_now() - begun, seconds(5));
}

TEST_F(StoreResetTest, LeasesOfAKilledCoordinatorEndOneAfterTheOther) {
  for (int look = 0; look < 20; ++look) {
    next_looks_.push_back({look < 8 ? 3U : 1U, milliseconds(10'000 - 500 * look)});
  }
  next_looks_.push_back({0, std::nullopt});
  unfinished_ = std::optional<std::size_t>(3);
  EXPECT_EQ(reset(), "");
}

TEST_F(StoreResetTest, TheOptionDropsWhatOthersWorkOnAtOnce) {
  others_work(7, for_ever);
  const SteadyTime begun = clock_.steady_now();
  EXPECT_EQ(reset({.even_in_use = true}), "");
  EXPECT_EQ(clock_.steady_now(), begun);
  EXPECT_THAT(caller_.questions, IsEmpty());
}

TEST_F(StoreResetTest, AnOperatorIsAskedAboutUnfinishedOnesWhateverTheOptionForOthersSays) {
  others_work(7, for_ever);
  caller_.at_terminal = true;
  EXPECT_THAT(reset({.yes = false, .even_in_use = true}), HasSubstr("add --yes"));
  caller_.questions.clear();
  caller_.answer = "yes";
  EXPECT_EQ(reset({.yes = false, .even_in_use = true}), "");
  EXPECT_THAT(caller_.questions,
              ElementsAre("the database 'bank' has 9 unfinished transactions. Type yes to drop "
                          "them too: "));
}

TEST_F(StoreResetTest, BothOptionsTogetherAskNothing) {
  others_work(7, for_ever);
  caller_.at_terminal = true;
  EXPECT_EQ(reset({.yes = true, .even_in_use = true}), "");
  EXPECT_THAT(caller_.questions, IsEmpty());
}

TEST_F(StoreResetTest, AnOperatorIsAskedAboutOthersWhateverTheOptionYesSays) {
  others_work(7, for_ever);
  caller_.at_terminal = true;
  caller_.answer = "yes";
  EXPECT_EQ(reset({.yes = true}), "");
  EXPECT_THAT(caller_.questions, ElementsAre(HasSubstr("work on 7 transactions there. Type yes")));
}

TEST_F(StoreResetTest, NoAnswerButYesDropsAnything) {
  caller_.at_terminal = true;
  others_work(7, for_ever);
  for (const char* answer : {"", "no", "y", "yes please", "YES"}) {
    caller_.answer = answer;
    EXPECT_THAT(reset(), HasSubstr("Nothing was changed."));
  }
}

TEST_F(StoreResetTest, AnOperatorIsAskedAboutUnfinishedTransactions) {
  caller_.at_terminal = true;
  caller_.answer = "yes";
  unfinished_ = std::optional<std::size_t>(1);
  EXPECT_EQ(reset(), "");
  EXPECT_THAT(caller_.questions,
              ElementsAre("the database 'bank' has 1 unfinished transaction. Type yes to drop it "
                          "too: "));
}

TEST_F(StoreResetTest, WhereNoQuestionCanBeSeenTheOptionIsNamed) {
  caller_.at_terminal = true;
  unfinished_ = std::optional<std::size_t>(3);
  EXPECT_EQ(reset(),
            "the database 'bank' has 3 unfinished transactions. To drop them too, add --yes. "
            "Nothing was changed.");
  EXPECT_EQ(reset({.yes = true}), "");
}

TEST_F(StoreResetTest, AStoreThatDoesNotAnswerNowIsLeftAlone) {
  look_fails_ = make_error(EngineErrc::store_busy, "connection refused");
  EXPECT_THAT(reset(), HasSubstr("connection refused"));
  look_fails_.reset();
  unfinished_ = make_error(EngineErrc::store_busy, "connection lost");
  EXPECT_THAT(reset(), HasSubstr("connection lost"));
}

TEST_F(StoreResetTest, IsTheWayOutOfTablesThatCannotBeUsed) {
  look_fails_ = make_error(EngineErrc::store_unavailable, "column missing");
  unfinished_ = make_error(EngineErrc::store_unavailable, "column missing");
  caller_.at_terminal = true;
  EXPECT_THAT(reset(), HasSubstr("cannot be read: column missing. To drop it all the same"));
  caller_.at_terminal = false;
  EXPECT_EQ(reset(), "");
}

TEST_F(StoreResetTest, AStoreOfOneProcessHasNoOthers) {
  kind_.work_of_others = nullptr;
  EXPECT_EQ(reset(), "");
}

}  // namespace
}  // namespace concerto::tools
