// Several coordinators on one shared store under random faults: pauses past the lease, kills, lost
// answers, calls of the store that arrive late. What was acknowledged ends, in one way only; and a
// branch is called by one coordinator at a time, except across the end of a lease.

#include <gmock/gmock.h>

#include "shared_branches.hpp"
#include "shared_nodes.hpp"
#include "sim_world.hpp"

namespace concerto::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SharedSimulation {
 public:
  explicit SharedSimulation(std::uint64_t seed, bool has_fence = true) : random_(seed) {
    shared_.has_fence = has_fence;
    options_.backoff_max = seconds(60);
    options_.wakes_per_target_max = 1 + random_.below(3);
    for (auto& node : nodes_) start(node);
  }

  void run() {
    for (int step = 0; step < 200; ++step) {
      if (random_.chance(17)) {
        request();
      } else {
        disturb();
      }
      run_nodes();
      check_ends();
    }
    heal();
    check();
  }

  const std::vector<std::string>& wrong() const { return ledger_.wrong; }

 private:
  /// A coordinator together with the services as it calls them.
  struct Member {
    std::unique_ptr<SharedBranches> branches;
    std::unique_ptr<SharedNode> node;
  };
  struct Submitted {
    Gid gid;
    int steps;
    bool is_saga;
    bool stopped = false;  ///< a force stop was asked for
    bool acknowledged = false;
    std::vector<Pending<Result<>>> results;
  };

  void start(Member& member) {
    const std::string name = std::to_string(++started_);
    member.branches = std::make_unique<SharedBranches>(ledger_, shared_, "cc-" + name);
    member.node = std::make_unique<SharedNode>(shared_, clock_, name, *member.branches, options_);
    member.node->world->start(member.node->coordinator().recover());
  }

  Member& any() { return nodes_[random_.below(nodes_.size())]; }
  std::vector<SharedNode*> all_nodes() {
    std::vector<SharedNode*> all;
    for (Member& member : nodes_) all.push_back(member.node.get());
    return all;
  }
  void run_nodes() {
    for (SharedNode* node : all_nodes()) {
      if (node->runs()) node->world->run_due();
    }
  }
  void advance(std::chrono::nanoseconds by) { advance_all(clock_, all_nodes(), by); }
  void wrong(const Submitted& one, const std::string& what) {
    ledger_.wrong.push_back(one.gid.str() + " " + what);
  }

  void request() {
    SharedNode& node = *any().node;
    if (!node.runs()) return;
    if (all_.empty() || random_.chance(40)) return submit(node);
    Submitted& one = all_[random_.below(all_.size())];
    switch (random_.below(8)) {
      case 0:
        node.world->start(node.coordinator().reset_next_cron_time(one.gid));
        return;
      case 1:
        one.results.push_back(node.world->start(node.coordinator().submit(make(one))));
        return;
      case 2:
        if (!random_.chance(20)) return;
        one.stopped = true;
        node.world->start(node.coordinator().force_stop(one.gid));
        return;
      default:
        query(node, one);
    }
  }

  TransRequest make(const Submitted& one) {
    auto trans = make_request(one.gid.str(), one.is_saga ? "saga" : "msg", one.steps);
    trans.query_prepared = "query";
    trans.options.wait_result = random_.chance(30);
    return trans;
  }

  void submit(SharedNode& node) {
    Submitted one{Gid("g" + std::to_string(all_.size())),
                  1 + static_cast<int>(random_.below(4)),
                  random_.chance(70),
                  false,
                  false,
                  {}};
    auto trans = make(one);
    if (one.is_saga && random_.chance(40)) trans.custom_data = R"({"concurrent":true})";
    if (one.is_saga && random_.chance(30)) trans.options.timeout_to_fail = seconds(60);
    if (one.is_saga && random_.chance(30)) trans.options.retry_limit = 1;
    const bool prepared = !one.is_saga && random_.chance(40);
    one.results.push_back(node.world->start(prepared
                                                ? node.coordinator().prepare(std::move(trans))
                                                : node.coordinator().submit(std::move(trans))));
    all_.push_back(std::move(one));
  }

  /// What is shown must not be older than what the store had when the query began.
  void query(SharedNode& node, const Submitted& one) {
    const auto before = shared_.load(one.gid, clock_.wall_now());
    const auto shown = node.world->start(node.coordinator().query(one.gid));
    if (!before || !shown->has_value() || !(*shown)->has_value()) return;
    const auto& trans = (*shown)->value();
    if (!trans || (is_final(before->status) && trans->status != before->status)) {
      wrong(one, "is shown as it was before");
    }
  }

  void disturb() {
    Member& member = any();
    SharedNode& node = *member.node;
    switch (random_.below(14)) {
      case 0:
        return node.store.hold();
      case 1:
        return node.store.release(random_.below(3));
      case 2:
        return node.store.release();
      case 3:
        return advance(milliseconds(random_.below(25'000)));
      case 4:
      case 5:
        return advance(milliseconds(random_.below(300)));
      case 6:
        node.is_paused = !node.is_paused && random_.chance(60);
        return;
      case 7:
        if (random_.chance(20)) kill(member);
        return;
      case 8:
        return disturb_store(node.store);
      default:
        return SharedBranches::end_one(ledger_, random_, false);
    }
  }

  void disturb_store(SharedStore& store) {
    switch (random_.below(3)) {
      case 0:
        store.busy_calls = random_.below(20);
        return;
      case 1:
        store.lost_answers = random_.below(3);
        return;
      default:
        store.lost_calls = random_.below(3);
    }
  }

  void kill(Member& member) {
    note_acknowledged();
    CoordinatorWorld::crash(std::move(member.node->world));
    member.branches->crash(random_);
    member.node->store.crash([this] { return random_.chance(50); });
    // A killed world refers to both.
    killed().push_back(std::move(member));
    member = Member();
    start(member);
  }
  static std::vector<Member>& killed() {
    static auto* kept = new std::vector<Member>();
    return *kept;
  }

  void heal() {
    for (Member& member : nodes_) {
      member.node->is_paused = false;
      member.node->store.busy_calls = member.node->store.lost_answers = 0;
      member.node->store.lost_calls = 0;
      member.node->store.release();
    }
    for (int second = 0; second < 900 && !has_all_ended(); ++second) {
      run_nodes();
      while (!ledger_.running.empty()) {
        SharedBranches::end_one(ledger_, random_, true);
        run_nodes();
      }
      advance(seconds(1));
    }
    note_acknowledged();
  }

  /// Whether every transaction has ended, and no coordinator keeps anything.
  bool has_all_ended() {
    for (const SharedNode* node : all_nodes()) {
      const InFlight left = node->world->coordinator().in_flight();
      if (left.live + left.alarms > 0) return false;
    }
    return std::all_of(all_.begin(), all_.end(), [this](const Submitted& one) {
      const auto trans = shared_.load(one.gid, clock_.wall_now());
      return !trans || is_final(trans->status);
    });
  }

  void note_acknowledged() {
    for (Submitted& one : all_) {
      for (const auto& result : one.results) {
        one.acknowledged |= result->has_value() && (*result)->has_value();
      }
    }
  }

  /// A transaction that has ended stays as it is.
  void check_ends() {
    for (const Submitted& one : all_) {
      const auto trans = shared_.load(one.gid, clock_.wall_now());
      if (!trans || !is_final(trans->status)) continue;
      const auto [end, is_new] = ends_.emplace(one.gid.str(), trans->status);
      if (!is_new && end->second != trans->status) wrong(one, "ends two ways");
    }
  }

  void check() {
    check_ends();
    for (const Submitted& one : all_) {
      const auto trans = shared_.load(one.gid, clock_.wall_now());
      if (!trans) {
        if (one.acknowledged) wrong(one, "is lost");
        if (ledger_.steps.contains(one.gid.str())) wrong(one, "is called and not stored");
        continue;
      }
      if (!is_final(trans->status)) wrong(one, "has not ended");
      if (one.stopped) continue;
      const bool kept = trans->status == TransStatus::succeed;
      if (!one.is_saga && !kept) wrong(one, "is a failed message");
      for (int number = 1; number <= one.steps; ++number) {
        const std::string branch = "0" + std::to_string(number);
        const bool in_effect = ledger_.steps[one.gid.str()][branch].in_effect();
        if (in_effect != kept) wrong(one, "differs in step " + branch);
      }
    }
    for (const SharedNode* node : all_nodes()) {
      const InFlight left = node->world->coordinator().in_flight();
      if (left.live + left.alarms > 0) ledger_.wrong.push_back(node->store.node() + " keeps some");
    }
  }

  SeededRandom random_;
  CoordinatorOptions options_;
  FakeClock clock_;
  SharedWorld shared_{clock_};
  SharedLedger ledger_;
  std::vector<Member> nodes_{3};
  int started_ = 0;
  std::vector<Submitted> all_;
  std::map<std::string, TransStatus> ends_;
};

/// Fails if anything is wrong.
class CheckedSimulation {
 public:
  explicit CheckedSimulation(std::uint64_t seed) : simulation_(seed) {}
  void run() {
    simulation_.run();
    EXPECT_THAT(simulation_.wrong(), testing::IsEmpty());
  }

 private:
  SharedSimulation simulation_;
};

TEST(SharedSim, WhatWasAcknowledgedEndsInOneWayAndOneCoordinatorAtATimeWorksOnIt) {
  run_seeds<CheckedSimulation>();
}

/// Shows that the simulation would notice.
TEST(SharedSim, WithoutTheFenceSomethingIsWrong) {
  raise_descriptor_limit();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SharedSimulation simulation(seed, false);
    simulation.run();
    if (!simulation.wrong().empty()) return;
  }
  ADD_FAILURE() << "no seed has found that changes without a lease count";
}

}  // namespace
}  // namespace concerto::test
