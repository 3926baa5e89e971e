#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>

#include "scripted_branches.hpp"
#include "shared_store.hpp"

namespace concerto::test {

/// The branch_id of calls to the application.
inline constexpr std::string_view application_id = "00";

/// What the branch services have done, and what is wrong with it. It outlives the coordinators.
struct SharedLedger {
  struct Step {
    bool done = false;         ///< an action, a confirm or a commit had its effect
    bool compensated = false;  ///< a compensate, a cancel or a rollback had its effect
    bool in_effect() const { return done && !compensated; }
  };
  struct Call {
    std::string node;
    std::string gid;
    std::string branch;
    std::string op;
    Executor executor;
    Completion<BranchReply> completion;
    bool is_answered = true;  ///< false: its coordinator was killed
    bool is_slow = false;     ///< it outlives several leases, if its coordinator does
  };
  using Steps = std::map<std::string, Step>;  ///< by branch_id

  std::map<std::string, Steps> steps;  ///< by gid
  std::map<std::string, bool> goes;    ///< by gid: what the application of a msg has decided
  std::set<std::string> resumed;       ///< workflows whose application was called to go on
  std::list<Call> running;
  std::size_t calls = 0;      ///< how many have begun
  bool has_one_clock = true;  ///< false: the database's clock jumps, and leases end early
  std::vector<std::string> wrong;
};

/// The services as one coordinator calls them. They fail, lose answers, ask for patience, and have
/// barriers: an action that comes after its compensation has no effect. Calls last until the test
/// lets one end, also while their coordinator stands still.
class SharedBranches final : public BranchCaller {
 public:
  SharedBranches(SharedLedger& ledger, SharedWorld& shared, std::string node)
      : ledger_(ledger), shared_(shared), node_(std::move(node)) {}

  Task<BranchReply> call(BranchCall call) override {
    Executor executor = co_await asio::this_coro::executor;
    const std::string gid = call.gid->str();
    const std::string branch(call.branch_id);
    const std::string op(call.op);
    begin(gid, branch);
    const auto wait = [&](Completion<BranchReply> done) {
      constexpr std::size_t slow_each = 8;
      const bool is_slow = ++ledger_.calls % slow_each == 0;
      ledger_.running.push_back({node_, gid, branch, op, executor, std::move(done), true, is_slow});
    };
    co_return co_await suspend<BranchReply>(wait);
  }

  /// Lets a running call of any coordinator end, chosen at random.
  static void end_one(SharedLedger& ledger, SeededRandom& random, bool healed) {
    if (ledger.running.empty()) return;
    const auto steps = static_cast<std::ptrdiff_t>(random.below(ledger.running.size()));
    const auto chosen = std::next(ledger.running.begin(), steps);
    if (chosen->is_slow && !healed && !random.chance(10)) return;
    BranchReply reply = chosen->branch == application_id ? ask(ledger, *chosen, random, healed)
                                                         : execute(ledger, *chosen, random, healed);
    if (chosen->is_answered) {
      asio::post(chosen->executor,
                 [done = std::move(chosen->completion), reply = std::move(reply)]() mutable {
                   done(std::move(reply));
                 });
    }
    ledger.running.erase(chosen);
  }

  /// The coordinator was killed: its calls are lost, or end without an answer.
  void crash(SeededRandom& random) {
    static auto* kept = new std::vector<Completion<BranchReply>>();
    for (auto call = ledger_.running.begin(); call != ledger_.running.end();) {
      if (call->node != node_) {
        ++call;
        continue;
      }
      call->is_answered = false;
      kept->push_back(std::move(call->completion));
      call = random.chance(50) ? ledger_.running.erase(call) : std::next(call);
    }
  }

 private:
  /// The judge: a call needs a lease, and nobody else who has one may be calling the same branch.
  void begin(const std::string& gid, const std::string& branch) {
    if (!ledger_.has_one_clock) return;
    if (!shared_.has_lease(node_, Gid(gid))) {
      ledger_.wrong.push_back(node_ + " calls " + branch + " of " + gid + " without a lease");
    }
    for (const SharedLedger::Call& other : ledger_.running) {
      const bool is_same = other.gid == gid && other.branch == branch;
      if (!is_same || !other.is_answered || !shared_.has_lease(other.node, Gid(gid))) continue;
      ledger_.wrong.push_back(node_ + " and " + other.node + " call " + branch + " of " + gid);
    }
  }

  static BranchReply execute(SharedLedger& ledger, const SharedLedger::Call& call,
                             SeededRandom& random, bool healed) {
    SharedLedger::Step& step = ledger.steps[call.gid][call.branch];
    const bool is_action = call.op == "action" || call.op == "confirm" || call.op == "commit";
    const bool may_fail = call.op == "action";
    const bool faulty = !healed && random.chance(30);
    if (faulty && random.chance(30)) return reply_of(Outcome::ongoing);
    if (faulty && random.chance(30)) return reply_of(Outcome::error, "not reached");
    if (may_fail && step.compensated) return reply_of(Outcome::failure, "too late");
    if (may_fail && faulty && !step.done) return reply_of(Outcome::failure, "refused");
    (is_action ? step.done : step.compensated) = true;
    return faulty ? reply_of(Outcome::error, "answer lost") : reply_of(Outcome::success);
  }

  /// The application of a msg answers what it has decided. That of a workflow goes on with it.
  static BranchReply ask(SharedLedger& ledger, const SharedLedger::Call& call, SeededRandom& random,
                         bool healed) {
    if (!healed && random.chance(30)) return reply_of(Outcome::error, "not reached");
    if (!healed && random.chance(20)) return reply_of(Outcome::ongoing);
    if (call.op == "msg") {
      return reply_of(ledger.goes.at(call.gid) ? Outcome::success : Outcome::failure, "decided");
    }
    ledger.resumed.insert(call.gid);
    return reply_of(Outcome::ongoing);
  }

  SharedLedger& ledger_;
  SharedWorld& shared_;
  const std::string node_;
};

}  // namespace concerto::test
