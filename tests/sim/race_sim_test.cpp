// Requests that race with each other, in every order that a seed makes. One of the two wins, and
// everything that follows agrees with that (docs/guarantees.md).

#include <algorithm>
#include <functional>

#include "scripted_branches.hpp"
#include "sim_world.hpp"

namespace concerto::test {
namespace {

/// One race: a store and calls that take time, and racing requests that begin at some moment in
/// between.
class Race {
 public:
  explicit Race(std::uint64_t seed) : random_(seed) {
    world_ = std::make_unique<CoordinatorWorld>(store_, clock_, branches_);
  }
  virtual ~Race() {
    branches_.release_all();
    store_.release_commits();
    world_.reset();
  }

  void run() {
    prepare();
    world_->run();
    store_.hold_commits();
    std::vector<std::function<void()>> racers = start();
    for (int step = 0; step < 40; ++step) {
      if (!racers.empty() && random_.chance(30)) {
        const auto chosen =
            racers.begin() + static_cast<std::ptrdiff_t>(random_.below(racers.size()));
        (*chosen)();
        racers.erase(chosen);
      } else if (random_.chance(60)) {
        store_.release_commits(1);
        store_.hold_commits();
      } else {
        end_call();
      }
      world_->run();
    }
    for (auto& racer : racers) racer();
    world_->run();
    store_.release_commits();
    for (int round = 0; round < 20; ++round) {
      end_call();
      world_->advance(std::chrono::minutes(5));
    }
    check();
  }

 protected:
  /// Makes the state before the race.
  virtual void prepare() = 0;
  /// The racing requests.
  virtual std::vector<std::function<void()>> start() = 0;
  virtual void check() = 0;
  /// Lets a waiting call end, if the race has one.
  virtual void end_call() {}

  Pending<Result<>> begin(Async<> request) { return world_->start(std::move(request)); }
  Coordinator& coordinator() { return world_->coordinator(); }

  Transaction stored() {
    return world_->start(coordinator().query(Gid("g")))->value().value().value();
  }
  static bool won(const Pending<Result<>>& result) { return (*result)->has_value(); }
  std::size_t calls(const std::string& name) const {
    return static_cast<std::size_t>(std::ranges::count(branches_.calls, name));
  }

  SeededRandom random_;
  FakeClock clock_;
  persist::MemoryStore store_{persist::MemoryStore::Crash::keeps_progress,
                              persist::MemoryStore::Answers::posted};
  ScriptedBranches branches_;
  std::unique_ptr<CoordinatorWorld> world_;
};

class TwoSubmits final : public Race {
 public:
  using Race::Race;

 private:
  void prepare() override {}

  std::vector<std::function<void()>> start() override {
    const bool waits = random_.chance(50);
    std::vector<std::function<void()>> racers;
    for (int i = 0; i < 2; ++i) {
      racers.emplace_back([this, i, waits] {
        auto request = make_request("g", "saga", 1);
        request.steps[0].action = "action of " + std::to_string(i);
        request.options.wait_result = waits;
        submits_[i] = begin(coordinator().submit(std::move(request)));
      });
    }
    return racers;
  }

  void check() override {
    // Both requests learn of the same transaction: the later one joins it, or the transaction has
    // ended.
    EXPECT_TRUE(won(submits_[0]) || won(submits_[1]));
    for (const auto& submit : submits_) {
      if (won(submit)) continue;
      EXPECT_EQ((*submit)->error().detail, "current status 'succeed', cannot submit. FAILURE");
    }
    EXPECT_EQ(stored().status, TransStatus::succeed);
    EXPECT_EQ(calls("action 01"), 1U);
    const std::string url = stored().branches[1].url;
    EXPECT_TRUE(url == "action of 0" || url == "action of 1") << url;
    ++wins[url];
  }

  Pending<Result<>> submits_[2];

 public:
  static inline std::map<std::string, int> wins;
};

/// Submit against abort of a prepared transaction.
class SubmitAgainstAbort final : public Race {
 public:
  explicit SubmitAgainstAbort(std::uint64_t seed)
      : Race(seed), type_(random_.chance(50) ? "tcc" : "msg") {}

 private:
  void prepare() override {
    begin(coordinator().prepare(make_request("g", type_, type_ == "msg" ? 1 : 0)));
    if (type_ != "tcc") return;
    BranchRequest branch;
    branch.gid = Gid("g");
    branch.trans_type = "tcc";
    branch.branch_id = "01";
    branch.fields = {{"confirm", "f"}, {"cancel", "b"}};
    begin(coordinator().register_branch(std::move(branch)));
  }

  std::vector<std::function<void()>> start() override {
    return {[this] { submit_ = begin(coordinator().submit(make_request("g", type_, 0))); },
            [this] { abort_ = begin(coordinator().abort(make_request("g", type_, 0))); }};
  }

  void check() override {
    EXPECT_NE(won(submit_), won(abort_)) << "of a " << type_;
    EXPECT_EQ(stored().status, won(submit_) ? TransStatus::succeed : TransStatus::failed);
    const std::string forward = type_ == "tcc" ? "confirm 01" : "action 01";
    EXPECT_EQ(calls(forward), won(submit_) ? 1U : 0U);
    EXPECT_EQ(calls("cancel 01"), type_ == "tcc" && won(abort_) ? 1U : 0U);
    ++wins[won(submit_) ? "submit" : "abort"];
  }

  const std::string type_;
  Pending<Result<>> submit_;
  Pending<Result<>> abort_;

 public:
  static inline std::map<std::string, int> wins;
};

/// The timeout of a TCC against a branch that registers at the last moment.
class TimeoutAgainstRegister final : public Race {
 public:
  using Race::Race;

 private:
  void prepare() override {
    auto request = make_request("g", "tcc", 0);
    request.options.timeout_to_fail = std::chrono::seconds(5);
    begin(coordinator().prepare(std::move(request)));
  }

  std::vector<std::function<void()>> start() override {
    return {[this] { world_->advance(std::chrono::seconds(5)); },
            [this] {
              BranchRequest branch;
              branch.gid = Gid("g");
              branch.trans_type = "tcc";
              branch.branch_id = "01";
              branch.fields = {{"confirm", "f"}, {"cancel", "b"}};
              registered_ = begin(coordinator().register_branch(std::move(branch)));
            }};
  }

  void check() override {
    EXPECT_EQ(stored().status, TransStatus::failed);
    EXPECT_EQ(stored().rollback_reason, "Timeout after 5 seconds");
    // A branch whose registration was acknowledged is told the end. No other branch is.
    EXPECT_EQ(stored().branches.size(), won(registered_) ? 2U : 0U);
    EXPECT_EQ(calls("cancel 01"), won(registered_) ? 1U : 0U);
    EXPECT_EQ(calls("confirm 01"), 0U);
    ++wins[won(registered_) ? "register" : "timeout"];
  }

  Pending<Result<>> registered_;

 public:
  static inline std::map<std::string, int> wins;
};

/// A force stop against the result of a call that runs.
class StopAgainstCall final : public Race {
 public:
  using Race::Race;

 private:
  void prepare() override {
    branches_.hold("action 01");
    auto request = make_request("g", "saga", 1);
    request.options.wait_result = true;
    submit_ = begin(coordinator().submit(std::move(request)));
  }

  std::vector<std::function<void()>> start() override {
    return {[this] { stop_ = begin(coordinator().force_stop(Gid("g"))); },
            [this] { is_over_ = true; }};
  }

  void end_call() override {
    if (is_over_ && branches_.waits("action 01")) branches_.answer("action 01", Outcome::success);
  }

  void check() override {
    EXPECT_NE(won(submit_), won(stop_));
    EXPECT_EQ(stored().status, won(stop_) ? TransStatus::failed : TransStatus::succeed);
    // The effect of a stopped transaction's branches stays unknown, and nothing is called any more.
    EXPECT_EQ(stored().branches[1].status,
              won(stop_) ? BranchStatus::prepared : BranchStatus::succeed);
    EXPECT_EQ(branches_.calls.size(), 1U);
    ++wins[won(stop_) ? "stop" : "call"];
  }

  Pending<Result<>> submit_;
  Pending<Result<>> stop_;
  bool is_over_ = false;

 public:
  static inline std::map<std::string, int> wins;
};

/// Runs the seeds. Each side must win some of them, or there was no race.
template <class Competition>
void race(const char* one, const char* other) {
  Competition::wins.clear();
  run_seeds<Competition>();
  if (std::getenv("CONCERTO_SIM_SEED") != nullptr) return;
  EXPECT_GT(Competition::wins[one], 20) << one;
  EXPECT_GT(Competition::wins[other], 20) << other;
}

TEST(RaceSim, OneOfTwoSubmitsIsTheTransaction) {
  race<TwoSubmits>("action of 0", "action of 1");
}

TEST(RaceSim, SubmitOrAbortWins) {
  race<SubmitAgainstAbort>("submit", "abort");
}

TEST(RaceSim, ARegisteredBranchHearsOfTheTimeoutOrIsRefused) {
  race<TimeoutAgainstRegister>("register", "timeout");
}

TEST(RaceSim, AForceStopOrTheCallWins) {
  race<StopAgainstCall>("stop", "call");
}

}  // namespace
}  // namespace concerto::test
