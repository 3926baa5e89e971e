// A whole saga in one process: the cost of coordinator and store without a transport. The saga has
// two branches that succeed at once and is submitted with wait_result on one shard. CPU is that of
// all threads, including the committer.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/executor_work_guard.hpp>
#include <sys/resource.h>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/persist/leveldb_store.hpp>
#include <concerto/persist/memory_store.hpp>
#include <concerto/transport/system.hpp>

#include "allocation_count.hpp"

namespace concerto::bench {
namespace {

using persist::LevelDbStore;
using persist::MemoryStore;

constexpr std::size_t payload_bytes = 100;
constexpr std::size_t sample_distance =
    101;  // every so many transactions one is queried at the end

bool all_good = true;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class WillingBranches final : public BranchCaller {
 public:
  Task<BranchReply> call(BranchCall call) override {
    BranchReply reply;
    reply.outcome = call.op == "action" ? Outcome::success : Outcome::error;
    if (reply.outcome == Outcome::success) ++actions_;
    co_return reply;
  }
  std::size_t actions() const noexcept { return actions_; }

 private:
  std::size_t actions_ = 0;
};

/// Prints what should not happen.
class LoudObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view gid, std::string_view text) override {
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(gid.size()), gid.data(),
                 static_cast<int>(text.size()), text.data());
  }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
};

/// A store with its counters.
class MeasuredStore {
 public:
  virtual ~MeasuredStore() = default;
  virtual Store& store() = 0;
  virtual std::uint64_t commits() const = 0;
  virtual std::uint64_t syncs() const = 0;
};

class InMemory final : public MeasuredStore {
 public:
  Store& store() override { return store_; }
  std::uint64_t commits() const override { return store_.commits(); }
  std::uint64_t syncs() const override { return 0; }

 private:
  MemoryStore store_;
};

class OnDisk final : public MeasuredStore {
 public:
  OnDisk() {
    std::string name = (std::filesystem::temp_directory_path() / "concerto-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + name);
    directory_ = name;
    persist::LevelDbOptions options;
    options.path = (directory_ / "store").string();
    auto opened = LevelDbStore::open(std::move(options), clock_, observer_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  ~OnDisk() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Store& store() override { return *store_; }
  std::uint64_t commits() const override { return store_->probe().changes; }
  std::uint64_t syncs() const override { return store_->probe().groups; }

 private:
  net::SystemClock clock_;
  LoudObserver observer_;
  std::filesystem::path directory_;
  std::unique_ptr<LevelDbStore> store_;
};

/// One shard with a coordinator, run by the calling thread.
class World {
 public:
  explicit World(Store& store)
      : coordinator_({ShardPorts{io_.get_executor(), timers_, branches_, random_, observer_}},
                     store, clock_, {}) {}

  ~World() { run(coordinator_.stop(clock_.steady_now() + std::chrono::seconds(10))); }

  /// The number of transactions that succeeded. If it is not all of them, something is wrong.
  std::size_t submit(std::size_t transactions, std::size_t in_flight) {
    left_ = transactions;
    good_ = 0;
    TaskGroup callers(io_.get_executor());
    for (std::size_t i = 0; i < in_flight; ++i) callers.spawn(submit_in_turn());
    while (callers.size() > 0) io_.run_one();
    return good_;
  }

  /// Whether the store has what was submitted. A sample is checked.
  bool stored_what_was_submitted() {
    bool good = !sample_.empty();
    run(check_sample(good));
    return good;
  }

  std::size_t actions() const noexcept { return branches_.actions(); }

 private:
  Task<void> submit_in_turn() {
    while (left_ > 0) {
      --left_;
      TransRequest request;
      request.gid = Coordinator::new_gid(random_);
      if (left_ % sample_distance == 0) sample_.push_back(request.gid);
      request.trans_type = "saga";
      request.options.wait_result = true;
      request.steps = {{"http://bank.example/trans_out", "http://bank.example/trans_out_revert"},
                       {"http://bank.example/trans_in", "http://bank.example/trans_in_revert"}};
      request.payloads.assign(2, std::string(payload_bytes, 'p'));
      const Result<> submitted = co_await coordinator_.submit(std::move(request));
      if (submitted) ++good_;
    }
  }

  Task<void> check_sample(bool& good) {
    for (const Gid& gid : sample_) {
      const auto found = co_await coordinator_.query(gid);
      good = good && found && *found && (*found)->status == TransStatus::succeed;
    }
  }

  void run(Task<void> task) {
    TaskGroup tasks(io_.get_executor());
    tasks.spawn(std::move(task));
    while (tasks.size() > 0) io_.run_one();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  net::SystemClock clock_;
  net::SystemRandom random_;
  Timers timers_{io_.get_executor(), clock_};
  WillingBranches branches_;
  LoudObserver observer_;
  Coordinator coordinator_;
  std::vector<Gid> sample_;
  std::size_t left_ = 0;
  std::size_t good_ = 0;
};

struct Before {
  double cpu = cpu_seconds();
  std::uint64_t allocations = allocation_count();
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
};

template <class StoreKind>
void measure(benchmark::State& state, std::size_t transactions, std::size_t in_flight) {
  StoreKind measured;
  World world(measured.store());
  const std::size_t warm_up = std::min<std::size_t>(transactions / 4, 1000);
  bool good = world.submit(warm_up, in_flight) == warm_up;
  for (auto _ : state) {
    const std::uint64_t commits = measured.commits();
    const std::uint64_t syncs = measured.syncs();
    const Before before;
    good = good && world.submit(transactions, in_flight) == transactions;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before.time;
    const double cpu = cpu_seconds() - before.cpu;
    const std::uint64_t allocations = allocation_count() - before.allocations;
    state.SetIterationTime(took.count());
    const auto per_trans = [transactions](auto sum) {
      return static_cast<double>(sum) / static_cast<double>(transactions);
    };
    state.counters["allocs/tx"] = per_trans(allocations);
    state.counters["commits/tx"] = per_trans(measured.commits() - commits);
    state.counters["syncs/tx"] = per_trans(measured.syncs() - syncs);
    state.counters["cpu_us/tx"] = per_trans(cpu * 1e6);
    state.counters["tx/s"] = static_cast<double>(transactions) / took.count();
  }
  good = good && world.actions() == 2 * (warm_up + transactions);
  if (!good || !world.stored_what_was_submitted()) {
    all_good = false;
    state.SkipWithError("a transaction did not succeed");
  }
}

template <class StoreKind>
void add(const std::string& name, bool tiny, std::size_t transactions, std::size_t in_flight) {
  if (tiny) transactions = 4 * in_flight;
  benchmark::RegisterBenchmark(
      (name + "/" + std::to_string(in_flight)).c_str(),
      [=](benchmark::State& state) { measure<StoreKind>(state, transactions, in_flight); })
      ->Iterations(1)
      ->Repetitions(tiny ? 1 : 5)
      ->ReportAggregatesOnly(!tiny)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  using namespace concerto::bench;
  const bool tiny = argc == 2 && std::string(argv[1]) == "--tiny";
  if (tiny) --argc;
  add<InMemory>("saga/memory", tiny, 50'000, 1);
  add<InMemory>("saga/memory", tiny, 50'000, 128);
  add<InMemory>("saga/memory", tiny, 50'000, 64);
  add<OnDisk>("saga/leveldb", tiny, 300, 1);
  add<OnDisk>("saga/leveldb", tiny, 50'000, 128);
  add<OnDisk>("saga/leveldb", tiny, 50'000, 64);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return all_good ? 0 : 1;
}
