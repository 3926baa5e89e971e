// Alarms of transactions at rest ring, whatever happens around them.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using EngineAlarms = EngineFixture;

TEST_F(EngineAlarms, ATimeoutIsNotLostWhenItsTransactionCannotBeReadThen) {
  branches_->hold("action 01");
  auto request = make_request("g", "saga", 1);
  request.options.timeout_to_fail = seconds(60);
  submit(std::move(request));
  // After a failed write the store is to be asked, which it is not while a call runs.
  store_.fail_commit(1);
  ASSERT_NE(error_of(reset("g")), "");
  store_.crash();
  world_->advance(seconds(60));
  ASSERT_THAT(world_->observer().warnings.back(), HasSubstr("cannot be read"));
  branches_->answer("action 01", Outcome::error, "refused");
  world_->advance(seconds(15));
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineAlarms, RingAsSoonAsTheLastTransactionThatFillsMemoryHasLeft) {
  options_.in_flight_max = 1;
  start_world();
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("g", "saga", 1));
  ASSERT_EQ(world_->coordinator().in_flight().live, 0U);
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
