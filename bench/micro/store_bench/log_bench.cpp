// A synced write to a log that grows with the write, and one into space that was zeroed ahead.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench_files.hpp"
#include "leveldb/log_env.hpp"

namespace concerto::bench {
namespace {

using persist::LogEnv;

void write_and_sync(benchmark::State& state, std::size_t bytes, std::size_t zero_step_bytes,
                    std::size_t writes) {
  BenchDir dir;
  persist::PatientDisk disk(persist::posix_disk());
  LogEnv env(disk, LogEnv::Logs::synced, {zero_step_bytes, "", 0});
  const std::string data(bytes, 'x');
  for (auto _ : state) {
    leveldb::WritableFile* opened = nullptr;
    if (!env.NewWritableFile(dir.path() + "/000001.log", &opened).ok()) {
      return state.SkipWithError("no log");
    }
    const std::unique_ptr<leveldb::WritableFile> file(opened);
    std::vector<double> took_us;
    const double cpu = cpu_seconds();
    for (std::size_t i = 0; i < writes; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      if (!file->Append(data).ok() || !file->Sync().ok()) return state.SkipWithError("no write");
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      took_us.push_back(took.count());
    }
    const auto per_write = 1e6 / static_cast<double>(writes);
    state.counters["cpu_us/sync"] = (cpu_seconds() - cpu) * per_write;
    std::sort(took_us.begin(), took_us.end());
    state.counters["p50_us"] = took_us[writes / 2];
    state.counters["p99_us"] = took_us[writes * 99 / 100];
  }
}

}  // namespace

void add_log_benchmarks(bool tiny) {
  constexpr std::size_t zero_step = std::size_t{1} << 20;
  const std::size_t writes = tiny ? 20 : 2000;
  for (const std::size_t bytes : {std::size_t{700}, std::size_t{45'000}}) {
    for (const std::size_t step : {std::size_t{0}, zero_step}) {
      const std::string name =
          std::string("log/") + (step > 0 ? "zeroed/" : "growing/") + std::to_string(bytes);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [=](benchmark::State& state) { write_and_sync(state, bytes, step, writes); })
          ->Iterations(1)
          ->Repetitions(tiny ? 1 : 5)
          ->ReportAggregatesOnly(!tiny)
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace concerto::bench
