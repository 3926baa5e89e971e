#include "sql/sql_health.hpp"

#include <gmock/gmock.h>

#include "sql/sql_error.hpp"

namespace concerto::test {
namespace {

using namespace persist;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using State = StoreHealth::State;

const Error no_right = make_error(SqlErrc::wrong_schema, "permission denied (42501)");
const Error disk_full = make_error(SqlErrc::not_now, "no space left (53100)");
const Error locked = make_error(SqlErrc::rolled_back, "lock timeout (55P03)");

const Error refused_connection = make_error(SqlErrc::not_now, "connection refused");

/// A database whose outcomes and times the test says.
class SqlHealthOf : public testing::Test {
 protected:
  void take(const SqlHealth::Lines& lines) {
    for (const SqlHealth::Line& line : lines) {
      const char* const level = line.level == LogLevel::error  ? "error "
                                : line.level == LogLevel::warn ? "warn "
                                                               : "info ";
      log_.push_back(level + line.text);
    }
  }
  void refuse(const Error& error) { take(health_.refused(now_, error, 1)); }
  void write(std::chrono::milliseconds took = 1ms) { take(health_.wrote(now_, took)); }
  void connect(const Result<>& outcome) { take(health_.connected(now_, outcome)); }
  void check(const Result<>& outcome) { take(health_.checked(now_, outcome)); }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    take(health_.look(now_));
  }
  State state() const { return health_.health(now_).state; }

  SteadyTime now_{1h};
  SqlHealth health_{"db1"};
  std::vector<std::string> log_;
};

TEST_F(SqlHealthOf, ADatabaseThatServesHasNoLine) {
  take(health_.reached(now_, 1ms));
  write();
  check(ok());
  pass(1h);
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(state(), State::serving);
}

TEST_F(SqlHealthOf, AnAbsenceHasALineAtItsBeginAndOneAtItsEnd) {
  take(health_.away(now_, "connection refused"));
  pass(2s);
  take(health_.away(now_, "no answer"));
  const StoreHealth away = health_.health(now_);
  EXPECT_EQ(away.state, State::recovering);
  EXPECT_THAT(away.reasons, ElementsAre("no answer")) << "the latest";
  pass(1500ms);
  take(health_.reached(now_, 1ms));
  EXPECT_EQ(state(), State::serving);
  EXPECT_THAT(log_, ElementsAre("error the store is away: connection refused",
                                "info the store serves: db1, it was away for 3.5 s"));
}

TEST_F(SqlHealthOf, ASilenceHasOneReason) {
  take(health_.away(now_, "connection refused"));
  for (const char* why : {"does not answer", "no answer within 10 s", "no connection within 3 s"}) {
    pass(2s);
    take(health_.away(now_, why, true));
    EXPECT_THAT(health_.health(now_).reasons, ElementsAre("does not answer"));
  }
  take(health_.away(now_, "the database system is starting up"));
  EXPECT_THAT(health_.health(now_).reasons, ElementsAre("the database system is starting up"));
  EXPECT_EQ(log_.size(), 1U);
}

TEST_F(SqlHealthOf, LinesAboutSingleChangesAreLeftOutFromTheFirstRefusalToTheEndOfIt) {
  EXPECT_FALSE(health_.health(now_).is_told());
  refuse(locked);
  EXPECT_EQ(state(), State::serving);
  EXPECT_TRUE(health_.health(now_).is_told());
  write();
  pass(10s);
  EXPECT_FALSE(health_.health(now_).is_told());
}

TEST_F(SqlHealthOf, RefusedChangesHaveOneLineHoweverManyTheyAre) {
  for (int i = 0; i < 100; ++i) {
    refuse(no_right);
    pass(1s);
  }
  EXPECT_THAT(log_, ElementsAre("error the database refuses changes: permission denied (42501)"));
  const StoreHealth health = health_.health(now_);
  EXPECT_EQ(health.state, State::recovering);
  EXPECT_THAT(health.reasons,
              ElementsAre("the database refuses changes: permission denied (42501)"));
}

TEST_F(SqlHealthOf, ARefusalIsOverWhenAChangeIsMadeAndNoneFailsForAWhile) {
  refuse(no_right);
  pass(2s);
  refuse(no_right);
  write();
  EXPECT_EQ(state(), State::serving);
  pass(9s);
  EXPECT_EQ(log_.size(), 1U);
  pass(1s);
  EXPECT_EQ(log_.back(), "info the database makes changes again: 2 tries failed in 2.0 s");
}

TEST_F(SqlHealthOf, ChangesThatFailNowAndThenAreOneRefusal) {
  for (int i = 0; i < 10; ++i) {
    refuse(disk_full);
    EXPECT_EQ(state(), State::recovering);
    pass(4s);
    write();
    EXPECT_EQ(state(), State::serving);
    pass(4s);
  }
  EXPECT_EQ(log_.size(), 1U);
}

TEST_F(SqlHealthOf, EachReasonHasALineAlsoInOneRefusal) {
  refuse(locked);
  write();
  pass(3s);
  refuse(no_right);
  pass(3s);
  refuse(disk_full);
  EXPECT_THAT(log_, ElementsAre("warn changes wait for the database, and are tried again: lock "
                                "timeout (55P03)",
                                "error the database refuses changes: permission denied (42501)",
                                "error the database refuses changes: no space left (53100)"));
}

TEST_F(SqlHealthOf, ReasonsThatTakeTurnsDoNotFillTheLog) {
  for (int i = 0; i < 100; ++i) {
    refuse(i % 2 == 0 ? no_right : disk_full);
    pass(400ms);
  }
  EXPECT_EQ(log_.size(), 2U);
  for (int i = 0; i < 100; ++i) {
    refuse(make_error(SqlErrc::wrong_schema, "no right on row " + std::to_string(i)));
  }
  EXPECT_EQ(log_.size(), SqlHealth::reasons_max);
}

TEST_F(SqlHealthOf, TheFirstConnectionThatIsNotMadeIsALineOfTheOutageAndNoOther) {
  connect(refused_connection);
  EXPECT_TRUE(health_.health(now_).is_told());
  EXPECT_EQ(state(), State::serving);
  take(health_.away(now_, "connection refused"));
  connect(refused_connection);
  take(health_.reached(now_ + 2s, 1ms));
  EXPECT_THAT(log_, ElementsAre("error the store is away: connection refused",
                                "info the store serves: db1, it was away for 2.0 s"));
  EXPECT_FALSE(health_.health(now_).is_told());
}

TEST_F(SqlHealthOf, ADatabaseThatTakesNoFurtherConnectionHasAWarningUntilOneIsMade) {
  const std::string line =
      "the database serves on the connections that there are, and takes no further one: "
      "connection refused";
  connect(refused_connection);
  take(health_.reached(now_, 1ms));
  pass(50s);
  connect(refused_connection);
  take(health_.reached(now_, 1ms));
  EXPECT_EQ(state(), State::serving);
  EXPECT_THAT(health_.health(now_).warnings, ElementsAre(line));
  connect(ok());
  EXPECT_THAT(health_.health(now_).warnings, IsEmpty());
  EXPECT_THAT(log_, ElementsAre("warn " + line,
                                "info connections to the database are made again: 2 tries failed "
                                "in 50.0 s"));
}

TEST_F(SqlHealthOf, AWarningAboutConnectionsEndsWhenNobodyNeedsOneForLong) {
  connect(refused_connection);
  take(health_.reached(now_, 1ms));
  pass(SqlHealth::connect_pause);
  EXPECT_FALSE(health_.health(now_).is_told());
  EXPECT_EQ(log_.back(), "info no further connection to the database was needed for 60.0 s");
}

TEST_F(SqlHealthOf, AConnectionThatIsMadeAtOnceAfterwardsHasNoLine) {
  connect(refused_connection);
  connect(ok());
  take(health_.reached(now_, 1ms));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SqlHealthOf, ACheckTellsTheEndOfWhatACheckHasSeen) {
  check(no_right);
  EXPECT_EQ(state(), State::recovering);
  check(ok());
  EXPECT_EQ(state(), State::serving);
  pass(SqlHealth::calm);
  EXPECT_EQ(log_.size(), 2U);
}

TEST_F(SqlHealthOf, ACheckDoesNotTellTheEndOfWhatItCannotSee) {
  refuse(disk_full);
  check(ok());
  EXPECT_EQ(state(), State::recovering);
}

TEST_F(SqlHealthOf, ACoordinatorWithoutChangesIsReadyAgainAfterAWhile) {
  refuse(disk_full);
  pass(SqlHealth::calm);
  EXPECT_EQ(state(), State::serving);
  refuse(disk_full);
  EXPECT_EQ(state(), State::recovering);
  EXPECT_EQ(log_.size(), 1U) << "nothing has shown that it was over";
}

TEST_F(SqlHealthOf, AWaitForALockIsAWarning) {
  refuse(locked);
  const StoreHealth health = health_.health(now_);
  EXPECT_EQ(health.state, State::serving);
  EXPECT_THAT(health.warnings, ElementsAre("changes wait for the database, and are tried again: "
                                           "lock timeout (55P03)"));
  EXPECT_THAT(log_, ElementsAre("warn changes wait for the database, and are tried again: "
                                "lock timeout (55P03)"));
}

TEST_F(SqlHealthOf, SlowStatementsHaveOneLineAndAWarningUntilTheyAreOver) {
  write(2s);
  EXPECT_THAT(log_, IsEmpty()) << "one may be a coincidence";
  for (int i = 0; i < 5; ++i) {
    pass(2100ms);
    write(2100ms);
  }
  EXPECT_THAT(log_, ElementsAre("warn the database is slow: a statement took 2.1 s"));
  EXPECT_EQ(state(), State::serving);
  EXPECT_THAT(health_.health(now_).warnings,
              ElementsAre("the database is slow: statements took up to 2.1 s"));
  write();
  pass(SqlHealth::calm);
  EXPECT_EQ(log_.back(),
            "info the database is no longer slow: for 12.5 s statements took up to "
            "2.1 s");
  EXPECT_THAT(health_.health(now_).warnings, IsEmpty());
}

TEST_F(SqlHealthOf, SlowStatementsThatAreRareAreNoTrouble) {
  for (int i = 0; i < 5; ++i) {
    write(2s);
    pass(SqlHealth::calm);
  }
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace concerto::test
