#include "live_trans.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace concerto {
namespace {

using State = LiveTrans::State;

constexpr State states[] = {State::idle, State::woken, State::driving, State::repeating};
constexpr TransStatus statuses[] = {TransStatus::prepared, TransStatus::submitted,
                                    TransStatus::aborting, TransStatus::succeed,
                                    TransStatus::failed};

/// A row for each state or status, with an `x` for each one that may follow.
template <class T, std::size_t size, class May>
std::vector<std::string> table(const T (&all)[size], May may) {
  std::vector<std::string> rows;
  for (const T from : all) {
    std::string row;
    for (const T to : all) row += may(from, to) ? 'x' : '.';
    rows.push_back(row);
  }
  return rows;
}

TEST(LiveTransState, FollowsOnlyTheStatesThatItMay) {
  EXPECT_EQ(table(states, LiveTrans::may_follow), (std::vector<std::string>{
                                                      ".xx.",  // idle
                                                      "x.xx",  // woken
                                                      "x..x",  // driving
                                                      "x.x.",  // repeating
                                                  }));
}

TEST(TransStatusMoves, NeverLeadBackAndEndInAFinalStatus) {
  EXPECT_EQ(table(statuses, may_become), (std::vector<std::string>{
                                             ".xxxx",  // prepared
                                             "..xxx",  // submitted
                                             "....x",  // aborting
                                             ".....",  // succeed
                                             ".....",  // failed
                                         }));
}

TEST(CallStates, RestartAllRowsThatDoNotRun) {
  CallStates calls;
  calls.restart(3);
  calls.begin(calls.runs[0]);
  calls.begin(calls.runs[1]);
  calls.end(calls.runs[1], RunState::tried);
  calls.restart(4);
  EXPECT_EQ(calls.running, 1U);
  EXPECT_EQ(calls.runs, (std::vector<RunState>{RunState::running, RunState::idle, RunState::idle,
                                               RunState::idle}));
}

TEST(Pass, ForgetsWhatItFoundAndKeepsWhatItHolds) {
  Pass pass;
  pass.begun = Pass::Begun::trial;
  pass.slot = "a";
  pass.any_success = true;
  pass.worst.emplace();
  EXPECT_TRUE(pass.met_error());
  pass.forget_results();
  EXPECT_FALSE(pass.met_error());
  EXPECT_EQ(pass.worst_outcome(), Outcome::success);
  EXPECT_FALSE(pass.any_success);
  EXPECT_EQ(pass.slot, "a");
  EXPECT_EQ(pass.begun, Pass::Begun::trial);
}

}  // namespace
}  // namespace concerto
