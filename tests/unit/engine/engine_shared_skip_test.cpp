// An operator marks a branch as done, at another coordinator than the one that calls it.

#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

using testing::EndsWith;
using testing::StartsWith;

class EngineSharedSkip : public SharedFixture {
 protected:
  static Pending<Result<>> skip(SharedNode& node, const std::string& branch_id) {
    return node.world->start(node.coordinator().skip_branch(Gid("g"), {branch_id, "action"}));
  }
};

TEST_F(EngineSharedSkip, ABranchThatAnotherCoordinatorCallsIsNotSkipped) {
  a_branches_.hold("action 02");
  submit(*a_, make_request("g", "saga", 2));
  const std::string before = owner();
  const auto skipped = skip(*b_, "02");
  EXPECT_THAT(error_of(skipped), HasSubstr("is being processed by another coordinator"));
  EXPECT_EQ(code_of(skipped), EngineErrc::status_conflict);
  EXPECT_EQ(owner(), before);
  a_branches_.answer("action 02", Outcome::failure);
  a_->world->run();
  EXPECT_EQ(stored().status, TransStatus::failed);
  EXPECT_THAT(a_branches_.calls,
              ElementsAre("action 01", "action 02", "compensate 02", "compensate 01"));
}

TEST_F(EngineSharedSkip, AfterATakeoverABranchThatIsCalledAgainIsNotSkipped) {
  a_branches_.hold("action 01");
  submit(*a_, make_request("g", "saga", 1));
  b_branches_.hold("action 01");
  pause(*a_, takeover_);
  ASSERT_THAT(b_branches_.calls, ElementsAre("action 01"));
  EXPECT_THAT(error_of(skip(*b_, "01")), HasSubstr("is being called"));
  b_branches_.answer("action 01", Outcome::success);
  b_->world->run();
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineSharedSkip, ABranchThatWaitsIsSkippedAndTheFirstCoordinatorSaysSo) {
  a_branches_.reply("action 01", Outcome::error, "500: no disk");
  b_branches_.reply("action 02", Outcome::error, "500: nor here");
  submit(*a_, make_request("g", "saga", 2));
  EXPECT_EQ(error_of(skip(*b_, "01")), "");
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 02"));
  const auto found = a_->world->start(a_->coordinator().inspect(Gid("g")));
  const std::string why = found->value().value().value().explanation;
  EXPECT_THAT(why, StartsWith("waits for its next try at a2; its interval has grown"));
  EXPECT_THAT(why, EndsWith("its branch 01 action, whose last call from here ended in error, has "
                            "status 'succeed' since; what other coordinators have tried since, "
                            "only they know"));
}

}  // namespace
}  // namespace concerto::test
