// Several coordinators on one shared store under random faults: pauses past the lease, kills, lost
// answers, calls of the store that arrive late, clocks that differ. What was acknowledged ends, in
// one way only; and a branch is called by one coordinator at a time, except across the end of a
// lease.

#include <gmock/gmock.h>

#include "shared_application.hpp"
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
    options_.wakes_in_progress_max = 1 + random_.below(20);
    ledger_.has_one_clock = random_.chance(85);
    nodes_.resize(2 + random_.below(2));
    for (Member& node : nodes_) start(node);
  }

  void run() {
    for (int step = 0; step < 200; ++step) {
      if (random_.chance(25)) {
        request();
      } else {
        disturb();
      }
      run_nodes();
      check_shown();
      replace_stopped();
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
    /// Set while an orderly stop is under way.
    Pending<bool> stopped = {};
  };
  struct Query {
    const SharedNode* node;
    Transaction before;  ///< as stored when the query began
    Pending<Result<std::optional<Transaction>>> shown;
  };

  void start(Member& member) {
    const std::string name = std::to_string(++started_);
    const auto ahead = milliseconds(random_.below(random_.chance(80) ? 1'000 : 60'000));
    member.branches = std::make_unique<SharedBranches>(ledger_, shared_, "cc-" + name);
    member.node =
        std::make_unique<SharedNode>(shared_, clock_, name, *member.branches, options_, ahead);
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
  std::optional<Transaction> stored(const Gid& gid) { return shared_.load(gid, clock_.wall_now()); }

  void request() {
    SharedNode& node = *any().node;
    if (!node.runs()) return;
    if (all_.empty() || (all_.size() < gids_max && random_.chance(35))) {
      auto gid = "g" + std::to_string(all_.size());
      all_.push_back(std::make_unique<SharedApplication>(ledger_, random_, std::move(gid)));
      return all_.back()->begin(node);
    }
    SharedApplication& one = *all_[random_.below(all_.size())];
    random_.chance(75) ? one.go_on(node) : query(node, one.gid());
  }

  void query(SharedNode& node, const Gid& gid) {
    auto before = stored(gid);
    auto shown = node.world->start(node.coordinator().query(gid));
    if (before) queries_.push_back({&node, std::move(*before), std::move(shown)});
  }

  /// What is shown must not be older than what was stored when the query began.
  void check_shown() {
    std::erase_if(queries_, [this](const Query& query) {
      if (!query.shown->has_value()) return false;
      if (!(*query.shown)->has_value()) return true;
      const auto& trans = (*query.shown)->value();
      const Transaction& before = query.before;
      const bool is_older =
          !trans || trans->branches.size() < before.branches.size() ||
          (trans->status != before.status && !may_become(before.status, trans->status));
      if (is_older) ledger_.wrong.push_back(before.gid.str() + " is shown as it was before");
      return true;
    });
  }

  void disturb() {
    Member& member = any();
    SharedNode& node = *member.node;
    switch (random_.below(16)) {
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
        return pause_or_resume(node);
      case 7:
        if (random_.chance(20)) kill(member);
        return;
      case 8:
        return disturb_store(node.store);
      case 9:
        if (node.store.held() > 0) node.store.release_at(random_.below(node.store.held()));
        return;
      case 10:
        if (random_.chance(20)) stop(member);
        if (!ledger_.has_one_clock) shared_.clock_ahead += milliseconds(random_.below(20'000));
        return;
      default:
        return SharedBranches::end_one(ledger_, random_, false);
    }
  }

  /// A pause begins between any two steps of the coordinator.
  void pause_or_resume(SharedNode& node) {
    const bool pauses = !node.is_paused && random_.chance(60);
    if (pauses) {
      SharedBranches::end_one(ledger_, random_, false);
      node.store.release(random_.below(3));
      node.world->run_some(random_.below(6));
    }
    node.is_paused = pauses;
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
    check_shown();
    std::erase_if(queries_, [&](const Query& query) { return query.node == member.node.get(); });
    CoordinatorWorld::crash(std::move(member.node->world));
    member.branches->crash(random_);
    member.node->store.crash([this] { return random_.chance(50); });
    // A killed world refers to both.
    killed().push_back(std::move(member));
    member = Member();
    start(member);
  }

  /// An orderly stop, without a cancellation: its calls end as others do. The coordinator takes
  /// part until the stop has ended, and another one follows.
  void stop(Member& member) {
    if (member.stopped || !member.node->runs()) return;
    const SteadyTime deadline = clock_.steady_now() + std::chrono::hours(1);
    const auto ended = [](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
      co_await coordinator.stop(until);
      co_return true;
    };
    member.stopped = member.node->world->start(ended(member.node->coordinator(), deadline));
  }
  void replace_stopped() {
    for (Member& member : nodes_) {
      if (!member.stopped || !member.stopped->has_value()) continue;
      kill(member);
    }
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
    run_nodes();  // The answers to queries arrive, also if every transaction has ended.
    for (int second = 0; second < 900 && !has_all_ended(); ++second) {
      run_nodes();
      while (!ledger_.running.empty()) {
        SharedBranches::end_one(ledger_, random_, true);
        run_nodes();
      }
      for (const auto& one : all_) one->finish(*any().node);
      advance(seconds(1));
      replace_stopped();
    }
  }

  /// Whether every transaction has ended, and no coordinator keeps anything.
  bool has_all_ended() {
    const bool any_stops =
        std::ranges::any_of(nodes_, [](const Member& member) { return member.stopped != nullptr; });
    return !any_stops && !any_keeps_some() && std::ranges::all_of(all_, [this](const auto& one) {
      const auto trans = stored(one->gid());
      return !trans || is_final(trans->status);
    });
  }
  bool any_keeps_some() {
    return std::ranges::any_of(all_nodes(), [](const SharedNode* node) {
      const InFlight left = node->world->coordinator().in_flight();
      return left.live + left.alarms + left.queued > 0;
    });
  }

  void check() {
    check_shown();
    if (!queries_.empty()) ledger_.wrong.emplace_back("a query has not ended");
    for (const auto& one : all_) one->check(stored(one->gid()));
    for (const SharedNode* node : all_nodes()) {
      const InFlight left = node->world->coordinator().in_flight();
      if (left.live + left.alarms + left.queued == 0) continue;
      ledger_.wrong.push_back(node->store.node() + " keeps " + std::to_string(left.live) +
                              " in memory, " + std::to_string(left.alarms) + " alarms, " +
                              std::to_string(left.queued) + " queued");
    }
  }

  static constexpr std::size_t gids_max = 20;

  SeededRandom random_;
  CoordinatorOptions options_;
  FakeClock clock_;
  SharedWorld shared_{clock_};
  SharedLedger ledger_;
  std::vector<Member> nodes_;
  int started_ = 0;
  std::vector<std::unique_ptr<SharedApplication>> all_;
  std::vector<Query> queries_;
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
TEST(SharedSim, FailsWithoutTheFence) {
  raise_descriptor_limit();
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SharedSimulation simulation(seed, false);
    simulation.run();
    if (!simulation.wrong().empty()) return;
  }
  ADD_FAILURE() << "no seed has found that changes without a lease count";
}

}  // namespace
}  // namespace concerto::test
