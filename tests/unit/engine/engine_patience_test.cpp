// Requests whose store does not answer for a long time.

#include "engine_fixture.hpp"
#include "scripted_store.hpp"

namespace concerto::test {
namespace {

class EnginePatience : public EngineFixture {
 protected:
  void SetUp() override {
    branches_ = std::make_unique<ScriptedBranches>();
    world_ = std::make_unique<CoordinatorWorld>(scripted_, clock_, *branches_, options_);
  }
  void TearDown() override {
    scripted_.release_loads();
    EngineFixture::TearDown();
  }

  Pending<Result<>> submit_until(const std::string& gid, SteadyTime deadline) {
    RequestContext context;
    context.deadline = deadline;
    return world_->start(world_->coordinator().submit(make_request(gid, "saga", 1), context));
  }
  Pending<Result<std::optional<Transaction>>> start_query(const std::string& gid) {
    return world_->start(world_->coordinator().query(Gid(gid)));
  }
  /// The lines of the log that have this in them.
  std::vector<std::string> lines(std::string_view text) {
    std::vector<std::string> found;
    for (const std::string& line : world_->observer().lines) {
      if (line.find(text) != std::string::npos) found.push_back(line);
    }
    return found;
  }
  void release() {
    store_.release_commits();
    world_->run();
  }

  ScriptedStore scripted_{store_};
};

TEST_F(EnginePatience, ACallerIsAnsweredInTimeAndTheRequestGoesOn) {
  store_.hold_commits();
  const auto submitted = submit(make_request("g", "saga", 1));
  world_->advance(seconds(9));
  EXPECT_EQ(error_of(submitted), "(not ended)");
  world_->advance(seconds(2));
  EXPECT_EQ(code_of(submitted), EngineErrc::store_late);
  EXPECT_TRUE(code_of(submitted) == Condition::outcome_unknown);
  EXPECT_THAT(branches_->calls, IsEmpty());
  release();
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
}

TEST_F(EnginePatience, WhileTheStoreIsAwayACallerIsAnsweredEarlier) {
  store_.hold_commits();
  const auto submitted = submit(make_request("g", "saga", 1));
  world_->advance(seconds(3));
  scripted_.is_away = true;
  EXPECT_EQ(error_of(submitted), "(not ended)") << "it may be back at once";
  world_->advance(seconds(3));
  EXPECT_EQ(code_of(submitted), EngineErrc::store_late);
}

TEST_F(EnginePatience, ACallerWaitsNoLongerThanItsDeadline) {
  store_.hold_commits();
  const auto submitted = submit_until("g", clock_.steady_now() + seconds(2));
  world_->advance(seconds(3));
  EXPECT_EQ(code_of(submitted), EngineErrc::store_late);
}

TEST_F(EnginePatience, ARequestThatIsRepeatedMeanwhileIsRefusedAtOnce) {
  branches_->hold("action 01");
  store_.hold_commits();
  submit(make_request("g", "saga", 1));
  world_->advance(seconds(11));
  EXPECT_EQ(code_of(submit(make_request("g", "saga", 1))), EngineErrc::store_late);
  const auto other = submit(make_request("h", "saga", 1));
  EXPECT_EQ(error_of(other), "(not ended)");
  EXPECT_EQ(store_.held_commits(), 2U);
  release();
  EXPECT_EQ(error_of(other), "");
  EXPECT_EQ(error_of(submit(make_request("g", "saga", 1))), "") << "it is stored by now";
}

TEST_F(EnginePatience, TheWaitForAPassIsNoWaitForTheStore) {
  branches_->hold("action 01");
  const auto submitted = submit_and_wait(make_request("g", "saga", 1));
  scripted_.is_away = true;
  world_->advance(seconds(60));
  EXPECT_EQ(error_of(submitted), "(not ended)");
}

TEST_F(EnginePatience, AQueryThatTakesTooLongHasChangedNothing) {
  scripted_.holds_loads = true;
  const auto queried = start_query("g");
  world_->advance(seconds(11));
  EXPECT_EQ(code_of(queried), EngineErrc::store_busy);
  EXPECT_EQ(code_of(start_query("g")), EngineErrc::store_busy) << "at once";
  scripted_.release_loads();
  EXPECT_EQ(error_of(start_query("g")), "");
}

TEST_F(EnginePatience, OneOutageHasTwoLines) {
  store_.hold_commits();
  for (const char* gid : {"g", "h", "i"}) submit(make_request(gid, "saga", 1));
  world_->advance(seconds(11));
  EXPECT_THAT(lines("the store"), ElementsAre("g: the store does not answer in time: a request has "
                                              "waited for 10 s, and goes on waiting"));
  world_->advance(seconds(20));
  release();
  EXPECT_EQ(
      lines("the store").back(),
      ": the store has answered all that waited: 3 requests had no answer in time, 21 s after "
      "the first");
  EXPECT_EQ(lines("the store").size(), 2U);
}

TEST_F(EnginePatience, AStoreThatTellsItsOutageNeedsNoFurtherLine) {
  scripted_.is_away = true;
  store_.hold_commits();
  submit(make_request("g", "saga", 1));
  world_->advance(seconds(11));
  EXPECT_THAT(world_->observer().warnings, IsEmpty());
}

TEST_F(EnginePatience, TransactionsThatAnOutageKeepsFromBeingReadHaveNoLines) {
  branches_->reply("action 01", Outcome::ongoing);
  for (const char* gid : {"g", "h", "i"}) submit(make_request(gid, "saga", 1));
  scripted_.busy_loads = ScriptedStore::always;
  scripted_.is_away = true;
  world_->advance(seconds(25));
  ASSERT_GE(lines("cannot be read").size(), 1U);
  for (const std::string& line : world_->observer().warnings) {
    EXPECT_THAT(line, testing::Not(HasSubstr("cannot be read")));
  }
  scripted_.is_away = false;  // A store that says nothing: the engine does, once.
  world_->observer().warnings.clear();
  world_->advance(seconds(11));
  EXPECT_EQ(std::ranges::count_if(world_->observer().warnings,
                                  [](const std::string& line) {
                                    return line.find("cannot be read") != std::string::npos;
                                  }),
            1);
}

TEST_F(EnginePatience, AtTheDeadlineOfAStopNobodyWaits) {
  store_.hold_commits();
  const auto submitted = submit(make_request("g", "saga", 1));
  const SteadyTime until = clock_.steady_now() + seconds(1);
  const auto stopped =
      world_->start([](Coordinator& coordinator, SteadyTime deadline) -> Task<bool> {
        co_await coordinator.stop(deadline);
        co_return true;
      }(world_->coordinator(), until));
  world_->advance(seconds(2));
  EXPECT_EQ(code_of(submitted), EngineErrc::store_late);
  EXPECT_FALSE(stopped->has_value()) << "the store may still answer";
  release();
  EXPECT_TRUE(stopped->has_value());
}

}  // namespace
}  // namespace concerto::test
