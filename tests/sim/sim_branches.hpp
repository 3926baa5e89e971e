#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>

#include "fake_clock.hpp"
#include "scripted_branches.hpp"

namespace concerto::test {

/// What the branch services have done. It outlives crashes of the coordinator.
struct BranchLedger {
  struct Step {
    bool done = false;
    bool compensated = false;
    int actions_running = 0;
    bool in_effect() const { return done && !compensated; }
  };
  std::map<std::string, std::map<std::string, Step>> steps;  ///< by gid and branch_id
};

/// Branch services with every fault that the protocol allows. They fail; they do their work and
/// lose the answer; they answer ongoing; and they are not idempotent: an action that is done
/// already may fail when it is repeated. A call lasts until the test lets it end.
class SimBranches final : public BranchCaller {
 public:
  SimBranches(BranchLedger& ledger, SeededRandom& random) : ledger_(ledger), random_(random) {}

  /// From now on every call succeeds at once.
  void heal() {
    healed_ = true;
    while (!waiting_.empty()) end_one();
  }

  /// Lets one running call end, chosen at random.
  void end_one() {
    if (waiting_.empty()) return;
    const std::size_t chosen = random_.below(waiting_.size());
    Waiting ended = std::move(waiting_[chosen]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(chosen));
    ended.done(execute(ended.gid, ended.branch, ended.is_action));
  }

  /// The coordinator was killed. Calls on their way take effect or are lost.
  void crash() {
    for (Waiting& lost : waiting_) {
      if (random_.chance(50)) {
        execute(lost.gid, lost.branch, lost.is_action);
      } else if (lost.is_action) {
        --step(lost.gid, lost.branch).actions_running;
      }
    }
    waiting_.clear();
  }

  Task<BranchReply> call(BranchCall call) override {
    const std::string gid = call.gid->str();
    const std::string branch(call.branch_id);
    const bool is_action = call.op == "action" || call.op == "confirm" || call.op == "commit";
    begin(gid, branch, is_action, call.mode->type);
    if (healed_) co_return execute(gid, branch, is_action);
    const auto wait = [&](Completion<BranchReply> done) {
      waiting_.push_back({gid, branch, is_action, std::move(done)});
    };
    co_return co_await suspend<BranchReply>(wait);
  }

 private:
  struct Waiting {
    std::string gid;
    std::string branch;
    bool is_action;
    Completion<BranchReply> done;
  };

  BranchLedger::Step& step(const std::string& gid, const std::string& branch) {
    return ledger_.steps[gid][branch];
  }

  void begin(const std::string& gid, const std::string& branch, bool is_action, TransType type) {
    BranchLedger::Step& called = step(gid, branch);
    if (is_action) {
      EXPECT_EQ(called.actions_running, 0) << gid << " calls " << branch << " twice at once";
      EXPECT_FALSE(called.compensated && type != TransType::msg)
          << gid << " goes forward after going back";
      ++called.actions_running;
    } else {
      EXPECT_EQ(called.actions_running, 0) << gid << " compensates " << branch << " while it runs";
    }
  }

  BranchReply execute(const std::string& gid, const std::string& branch, bool is_action) {
    BranchLedger::Step& called = step(gid, branch);
    if (is_action) --called.actions_running;
    const bool faulty = !healed_ && random_.chance(40);
    if (faulty && random_.chance(30)) return reply_of(Outcome::ongoing);
    if (faulty && random_.chance(30)) return reply_of(Outcome::error, "not reached");
    if (is_action && called.done && random_.chance(30)) return reply_of(Outcome::failure, "exists");
    if (is_action && faulty && !called.done) return reply_of(Outcome::failure, "refused");
    (is_action ? called.done : called.compensated) = true;
    return faulty ? reply_of(Outcome::error, "answer lost") : reply_of(Outcome::success);
  }

  BranchLedger& ledger_;
  SeededRandom& random_;
  std::vector<Waiting> waiting_;
  bool healed_ = false;
};

}  // namespace concerto::test
