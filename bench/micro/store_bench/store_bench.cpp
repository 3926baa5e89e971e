// The store alone: transactions of about 700 bytes in three durable records (submit, the success of
// the first action, the end). The name of a benchmark has the number of writers. CPU is that of the
// whole process: encoding, queue, log, tables, directory, and the coroutines of the writers.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/persist/leveldb_store.hpp>
#include <concerto/transport/system.hpp>

#include "bench_files.hpp"

namespace concerto::bench {
namespace {

using persist::LevelDbOptions;
using persist::LevelDbStore;

constexpr std::size_t sample_distance = 997;  // every so many transactions one is loaded at the end

bool all_good = true;

class LoudObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
};

/// Coroutines that write, on one shard.
class Writers {
 public:
  Writers(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// True if every commit was acknowledged.
  bool write(std::size_t transactions, std::size_t writers) {
    left_ = transactions;
    TaskGroup group(io_.get_executor());
    for (std::size_t i = 0; i < writers; ++i) group.spawn(write_in_turn());
    while (group.size() > 0) io_.run_one();
    return good_;
  }

  bool check(std::size_t transactions) {
    TaskGroup group(io_.get_executor());
    group.spawn(load_sample(transactions));
    while (group.size() > 0) io_.run_one();
    return good_;
  }

 private:
  static std::string gid_of(std::size_t number) {
    char gid[32];
    std::snprintf(gid, sizeof(gid), "bench-%016zx", number * 0x9E3779B97F4A7C15);
    return gid;
  }

  Transaction make(std::size_t number) const {
    Transaction trans;
    trans.gid = Gid{gid_of(number)};
    trans.status = TransStatus::submitted;
    trans.create_time = trans.update_time = clock_.wall_now();
    trans.payloads.assign(2, std::string(150, 'p'));
    for (std::uint32_t i = 0; i < 2; ++i) {
      for (const char* op : {"compensate", "action"}) {
        Branch branch;
        branch.branch_id = BranchId{i == 0 ? "01" : "02"};
        branch.op = op;
        branch.url = "http://bank.example:8080/api/transfer";
        branch.payload = i;
        branch.create_time = trans.create_time;
        trans.branches.push_back(std::move(branch));
      }
    }
    return trans;
  }

  Task<void> commit(Change change) { good_ = (co_await store_.commit(std::move(change))) && good_; }

  static Change update(const Transaction& trans, TransDelta delta) {
    Change change;
    change.what = UpdateTrans{trans.gid, TransStatus::submitted, std::move(delta)};
    return change;
  }

  Task<void> write_in_turn() {
    while (left_ > 0) {
      const Transaction trans = make(--left_);
      Change created;
      created.what = CreateTrans{&trans};
      co_await commit(std::move(created));
      TransDelta first;
      first.at = clock_.wall_now();
      first.branch_changes = {{1, BranchStatus::succeed, first.at}};
      co_await commit(update(trans, std::move(first)));
      TransDelta last;
      last.at = clock_.wall_now();
      last.status = TransStatus::succeed;
      last.branch_changes = {{3, BranchStatus::succeed, last.at}};
      co_await commit(update(trans, std::move(last)));
    }
  }

  Task<void> load_sample(std::size_t transactions) {
    for (std::size_t i = 0; i < transactions; i += sample_distance) {
      const auto found = co_await store_.load(Gid{gid_of(i)});
      good_ = good_ && found && *found && (*found)->status == TransStatus::succeed &&
              (*found)->branches[1].status == BranchStatus::succeed;
    }
  }

  Store& store_;
  const Clock& clock_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  std::size_t left_ = 0;
  bool good_ = true;
};

struct Workload {
  std::size_t transactions;
  std::size_t writers;
  bool sync = true;
};

void measure(benchmark::State& state, const Workload& load) {
  BenchDir dir;
  net::SystemClock clock;
  LoudObserver observer;
  LevelDbOptions options;
  options.path = dir.path() + "/store";
  options.sync = load.sync;
  auto opened = LevelDbStore::open(std::move(options), clock, observer);
  if (!opened) return state.SkipWithError(opened.error().detail.c_str());
  LevelDbStore& store = **opened;
  Writers writers(store, clock);
  bool good = true;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_before = cpu_seconds();
    good = writers.write(load.transactions, load.writers);
    // Work that the store has left for these transactions is a part of their cost.
    good = good && store.maintain();
    const double cpu = cpu_seconds() - cpu_before;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    const auto transactions = static_cast<double>(load.transactions);
    const auto groups = static_cast<double>(store.probe().groups);
    state.counters["cpu_us/tx"] = cpu * 1e6 / transactions;
    state.counters["syncs/tx"] = groups / transactions;
    state.counters["records/sync"] = static_cast<double>(store.probe().changes) / groups;
    state.counters["bytes/tx"] = static_cast<double>(store.probe().bytes) / transactions;
    state.counters["sync_us"] = static_cast<double>(store.probe().sync_ns) / 1e3 / groups;
    state.counters["tx/s"] = transactions / took.count();
  }
  if (good && writers.check(load.transactions)) return;
  all_good = false;
  state.SkipWithError("a transaction was not stored as it was written");
}

void add(const std::string& name, const Workload& load, int repetitions) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [load](benchmark::State& state) { measure(state, load); })
      ->Iterations(1)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly(repetitions > 1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void add_store_benchmarks(bool tiny) {
  for (const bool sync : {true, false}) {
    for (const std::size_t writers : {1, 8, 64, 512, 4096}) {
      const std::size_t usual = writers == 1 && sync ? 1000 : 20'000;
      const std::size_t transactions = tiny ? 2 * writers : usual;
      add((sync ? "commit/synced/" : "commit/unsynced/") + std::to_string(writers),
          {transactions, writers, sync}, tiny ? 1 : 3);
    }
  }
  // With so many writers, groups have about 64 transactions and 45 kB.
  add("million/350", {tiny ? std::size_t{2000} : std::size_t{1'000'000}, 350}, 1);
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  using namespace concerto::bench;
  const bool tiny = argc == 2 && std::string(argv[1]) == "--tiny";
  if (tiny) --argc;
  add_log_benchmarks(tiny);
  add_store_benchmarks(tiny);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return all_good ? 0 : 1;
}
