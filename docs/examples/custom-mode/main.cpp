// A server that embeds Concerto: the coordinator, its store and the branches live in one process.
// It moves 30 cents from one account to another, then tries to move more than there is, and makes a
// gift in a mode of its own.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/persist/leveldb_store.hpp>

namespace {

using namespace concerto;

struct MachineClock final : Clock {
  SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

struct MachineRandom final : RandomSource {
  std::uint64_t next() override { return std::uint64_t{device()} << 32 | device(); }
  std::random_device device;
};

struct Log final : Observer {
  void log(LogLevel, std::string_view gid, std::string_view text) override {
    std::fprintf(stderr, "%s %s\n", std::string{gid}.c_str(), std::string{text}.c_str());
  }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
};

/// Branches by name: `out` takes from Ann's account unless it has too little, `in` gives to Ben's.
/// A real branch has a barrier, so that a repeated call changes nothing.
struct Bank final : BranchCaller {
  Task<BranchReply> call(BranchCall call) override {
    const int cents = std::stoi(std::string{call.payload});
    BranchReply reply{Outcome::success, {}};
    if (call.url == "in" && cents > 100) {
      reply.outcome = Outcome::failure;
      reply.error.detail = "too much for Ben FAILURE";
    } else {
      accounts[call.url == "in" ? "Ben" : "Ann"] += call.url == "out" ? -cents : cents;
    }
    co_return reply;
  }
  std::map<std::string, int> accounts{{"Ann", 1000}, {"Ben", 0}};
};

/// A mode of this server. Once a gift is submitted, all its steps are called at the same time,
/// until all of them have succeeded. docs/extending.md says more.
namespace gift {

Result<> expand(const TransRequest& request, Transaction& trans) {
  for (std::uint32_t i = 0; i < request.steps.size(); ++i) {
    Branch branch;
    branch.branch_id = BranchId{step_branch_id(i + 1)};
    branch.op = "give";
    branch.url = request.steps[i].action;
    branch.payload = i;
    trans.branches.push_back(std::move(branch));
  }
  return ok();
}

Next next(const TransView& view) {
  Next next;
  if (view.trans.status != TransStatus::submitted) return next;
  bool done = true;
  for (std::uint32_t i = 0; i < view.trans.branches.size(); ++i) {
    if (view.trans.branches[i].status == BranchStatus::succeed) continue;
    done = false;
    if (view.runs[i] == RunState::idle) next.calls.push_back(i);
  }
  if (done) next.change = StatusChange{TransStatus::succeed, {}};
  return next;
}

Effect effect(const Transaction&, const Branch&, Outcome outcome) {
  return outcome == Outcome::success ? Effect::succeed : Effect::retry_later;
}

constexpr Mode mode{
    .type = TransType{7},
    .name = "gift",
    .expand = expand,
    .next = next,
    .effect = effect,
};

}  // namespace gift

Async<> give(Coordinator& coordinator, Gid gid) {
  TransRequest request;
  request.gid = std::move(gid);
  request.trans_type = gift::mode.name;
  request.steps = {{"in", ""}, {"in", ""}};
  request.payloads = {"5", "7"};
  request.options.wait_result = true;
  co_return co_await coordinator.submit(std::move(request));
}

Async<> transfer(Coordinator& coordinator, RandomSource& random, int cents) {
  TransRequest saga;
  saga.gid = Coordinator::new_gid(random);
  saga.trans_type = "saga";
  saga.steps = {{"out", "out-undone"}, {"in", ""}};
  saga.payloads = {std::to_string(cents), std::to_string(cents)};
  saga.options.wait_result = true;
  co_return co_await coordinator.submit(std::move(saga));
}

Task<> do_business(Coordinator& coordinator, MachineRandom& random, bool& as_expected) {
  const auto recovered = co_await coordinator.recover();
  const auto small = co_await transfer(coordinator, random, 30);
  const auto large = co_await transfer(coordinator, random, 500);
  const Gid given_gid = Coordinator::new_gid(random);
  const auto given = co_await give(coordinator, given_gid);
  const auto stored = co_await coordinator.query(given_gid);
  as_expected = recovered && small && !large && given && stored && *stored &&
                coordinator.modes().name_of((*stored)->type) == gift::mode.name;
  co_await coordinator.stop(std::chrono::steady_clock::now() + std::chrono::seconds{10});
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context shard{1};
  const MachineClock clock;
  MachineRandom random;
  Log observer;
  Bank bank;
  persist::LevelDbOptions options;
  options.path = argc > 1 ? argv[1] : "./bank-data";
  const auto store = persist::LevelDbStore::open(options, clock, observer);
  if (!store) return std::fprintf(stderr, "%s\n", store.error().detail.c_str()), EXIT_FAILURE;
  Timers timers{shard.get_executor(), clock};
  const ModeTable modes{{&modes::saga, &gift::mode}};
  Coordinator coordinator{
      {{shard.get_executor(), timers, bank, random, observer}}, **store, clock, {}, modes};
  bool as_expected = false;
  TaskGroup tasks{shard.get_executor()};
  tasks.spawn(do_business(coordinator, random, as_expected));
  shard.run();
  std::printf("Ann has %d cents, Ben has %d\n", bank.accounts["Ann"], bank.accounts["Ben"]);
  as_expected = as_expected && bank.accounts["Ann"] == 970 && bank.accounts["Ben"] == 42;
  return as_expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
