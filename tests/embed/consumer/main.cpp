// A program that makes its coordinator of parts, without the facade: clock, random source,
// observer, timers, a branch caller with coroutines, a store with a directory, a group for its own
// tasks. (docs/examples use the facade.) It moves 30 cents from one account to another, then tries
// to move more than the other accepts.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>
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

/// Branches by name: `out` takes from Ann's account, `in` gives to Ben's, no more than 100 at once.
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
  as_expected = recovered && small && !large;
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
  Coordinator coordinator{
      {{shard.get_executor(), timers, bank, random, observer}}, **store, clock, {}};
  bool as_expected = false;
  TaskGroup tasks{shard.get_executor()};
  tasks.spawn(do_business(coordinator, random, as_expected));
  shard.run();
  std::printf("Ann has %d cents, Ben has %d\n", bank.accounts["Ann"], bank.accounts["Ben"]);
  as_expected = as_expected && bank.accounts["Ann"] == 970 && bank.accounts["Ben"] == 30;
  return as_expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
