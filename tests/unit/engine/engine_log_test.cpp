// The lines at level `warn` about transactions in trouble: they name the call, and there are not
// too many.

#include <algorithm>

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::AllOf;
using testing::SizeIs;

class EngineLog : public EngineFixture {
 protected:
  /// The lines that `LogLevel: warn` shows.
  const std::vector<std::string>& lines() { return world_->observer().warnings; }
  void submit_failing(const std::string& gid, const std::string& url) {
    auto request = make_request(gid, "saga", 1);
    request.steps[0].action = url;
    branches_->reply("action 01", Outcome::error, "HTTP status 500: no disk");
    submit(std::move(request));
  }
};

TEST_F(EngineLog, ACallWithAnErrorIsNamedWithTheTimeOfTheNextTry) {
  submit_failing("g", "http://stock/deduct");
  EXPECT_THAT(lines(),
              ElementsAre("g: branch 01 action at http://stock/deduct, attempt 1, ended in "
                          "error: HTTP status 500: no disk; next try in 20 s"));
  branches_->reply("action 01", Outcome::error, "HTTP status 502: bad gateway");
  world_->advance(seconds(22));
  EXPECT_THAT(lines().back(), AllOf(HasSubstr("attempt 2"), HasSubstr("502"), HasSubstr("in 4")));
}

TEST_F(EngineLog, ACompensationThatAnswersFailureLeavesALineToo) {
  branches_->reply("action 01", Outcome::failure, "sold out");
  branches_->reply("compensate 01", Outcome::failure, "cannot");
  submit(make_request("g", "saga", 1));
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("branch 01 compensate at c1, attempt 1, ended in "
                                             "failure: cannot FAILURE; next try in")));
}

TEST_F(EngineLog, ARetryWithinRetryLimitSaysHowSoonItIs) {
  branches_->reply("action 01", Outcome::error, "refused");
  auto request = make_request("g", "saga", 1);
  request.options.retry_limit = 3;
  submit(std::move(request));
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("attempt 1, ended in error: refused; next try in "
                                             "100 ms")));
}

TEST_F(EngineLog, AnApplicationThatIsNotReachedIsNamed) {
  auto request = make_request("m", "msg", 1);
  request.query_prepared = "http://app/query";
  prepare(std::move(request));
  branches_->reply("msg 00", Outcome::error, "refused");
  world_->advance(seconds(36));
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("m: its application at http://app/query, attempt 1, "
                                             "ended in error: refused; next try in 20 s")));
}

TEST_F(EngineLog, AServiceThatIsDownLeavesFewLines) {
  for (int i = 0; i < 10'000; ++i) submit_failing("g" + std::to_string(i), "http://down/a");
  submit_failing("other", "http://other/a");
  EXPECT_THAT(lines(), SizeIs(6)) << "five of one target, and the first of another";
  world_->advance(seconds(10));
  EXPECT_THAT(lines(), testing::Contains(": 9995 more lines about http://down were left out"));
}

TEST_F(EngineLog, AStopTellsHowManyLinesWereLeftOut) {
  for (int i = 0; i < 7; ++i) submit_failing("g" + std::to_string(i), "http://down/a");
  world_->stop();
  EXPECT_EQ(lines().back(), ": 2 more lines about http://down were left out");
}

TEST_F(EngineLog, HealthyAndOngoingTransactionsLeaveNoLine) {
  submit(make_request("good", "saga", 2));
  branches_->reply("action 01", Outcome::ongoing);
  submit(make_request("slow", "saga", 2));
  EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace concerto::test
