#include <gmock/gmock.h>

#include "await_result.hpp"
#include "sql/row_reads.hpp"

namespace concerto::test {

using namespace persist;
using testing::ElementsAre;

/// Reads of a database whose statements end when the test says so.
class SqlReads : public testing::Test {
 protected:
  using Rows = std::vector<StoredTrans>;

  Async<Rows> statement(std::vector<ClaimRow> rows) {
    std::vector<std::string> gids;
    for (const ClaimRow& row : rows) gids.push_back(row.gid);
    statements_.push_back(gids);
    ++under_way_;
    ignore_error(Result<bool>(co_await goes_on_.wait()), "the test goes on");
    --under_way_;
    if (fails_) co_return make_error(SqlErrc::not_now, "away");
    Rows found;
    for (const std::string& gid : gids) {
      if (gid == "none") continue;
      StoredTrans one;
      one.row.gid = gid;
      found.push_back(std::move(one));
    }
    co_return found;
  }
  void read(const std::string& gid) {
    asio::co_spawn(io_, reads_.read(gid), [this, gid](auto, const auto& found) {
      answers_.push_back(gid + (!found   ? " fails"
                                : *found ? " is " + (*found)->row.gid
                                         : " is not"));
    });
    run();
  }
  void run() {
    io_.restart();
    io_.poll();
  }
  void end_statements() {
    goes_on_.notify_all();
    run();
  }

  asio::io_context io_{1};
  Notifier goes_on_{io_.get_executor()};
  std::vector<std::vector<std::string>> statements_;
  std::vector<std::string> answers_;
  int under_way_ = 0;
  bool fails_ = false;
  RowReads reads_{io_.get_executor(),
                  [this](std::vector<ClaimRow> rows) { return statement(std::move(rows)); },
                  RowReads::Limits{1, 3}};
};

TEST_F(SqlReads, GatherWhileAStatementIsUnderWay) {
  for (const char* gid : {"a", "b", "none", "c", "d"}) read(gid);
  EXPECT_THAT(statements_, ElementsAre(ElementsAre("a")));
  end_statements();
  EXPECT_THAT(answers_, ElementsAre("a is a"));
  EXPECT_EQ(statements_.back(), (std::vector<std::string>{"b", "none", "c"})) << "at most three";
  end_statements();
  end_statements();
  EXPECT_EQ(statements_.back(), std::vector<std::string>{"d"});
  EXPECT_THAT(answers_, ElementsAre("a is a", "b is b", "none is not", "c is c", "d is d"));
  EXPECT_EQ(under_way_, 0);
}

TEST_F(SqlReads, AGidIsInAStatementOnce) {
  for (const char* gid : {"a", "b", "b", "c"}) read(gid);
  end_statements();
  EXPECT_EQ(statements_.back(), (std::vector<std::string>{"b", "c"}));
  end_statements();
  EXPECT_EQ(statements_.back(), std::vector<std::string>{"b"});
  end_statements();
  EXPECT_EQ(answers_.size(), 4U);
}

TEST_F(SqlReads, AFailureIsTheAnswerToAllRowsOfItsStatement) {
  fails_ = true;
  for (const char* gid : {"a", "b", "c"}) read(gid);
  end_statements();
  end_statements();
  EXPECT_THAT(answers_, ElementsAre("a fails", "b fails", "c fails"));
}

TEST_F(SqlReads, WhatHasNotBegunIsAnsweredWhenTheDatabaseIsSilent) {
  read("a");
  read("b");
  reads_.answer_waiting(make_error(EngineErrc::store_busy, "silent"));
  run();
  EXPECT_THAT(answers_, ElementsAre("b fails"));
  end_statements();
  EXPECT_THAT(answers_, ElementsAre("b fails", "a is a"));
}

TEST_F(SqlReads, AStopAnswersWhatWasAskedBefore) {
  read("a");
  read("b");
  bool stopped = false;
  asio::co_spawn(io_, reads_.stop(), [&](auto) { stopped = true; });
  run();
  EXPECT_FALSE(stopped);
  read("late");
  end_statements();
  end_statements();
  EXPECT_TRUE(stopped);
  EXPECT_THAT(answers_, ElementsAre("late fails", "a is a", "b is b"));
}

}  // namespace concerto::test
