// Fills a new store with transactions, through the store's interface and with the engine's records.
// Then it opens the store again and checks the transactions. Prints one JSON object to stdout.

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <concerto/persist/leveldb_store.hpp>
#include <concerto/transport/system.hpp>

#include "bench_files.hpp"
#include "filler.hpp"

namespace concerto::bench {
namespace {

using persist::LevelDbOptions;
using persist::LevelDbStore;

constexpr std::size_t sample_distance = 997;

struct FillOptions {
  std::string directory;
  std::size_t count = 1'000;
  std::size_t writers = 512;
  SampleOptions sample;
};

const std::map<std::string, Kind> kinds = {
    {"finished", Kind::finished}, {"waiting", Kind::waiting}, {"unfinished", Kind::unfinished}};

class LoudObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
};

Result<std::unique_ptr<LevelDbStore>> open_store(const std::string& directory, const Clock& clock,
                                                 Observer& observer) {
  LevelDbOptions options;
  options.path = directory;
  options.retention.finished_bytes_max = UINT64_MAX;
  return LevelDbStore::open(std::move(options), clock, observer);
}

/// What `use` finds wrong with the opened store, which is closed afterwards.
template <class Use>
std::string with_store(const FillOptions& options, const Clock& clock, Use use) {
  LoudObserver observer;
  const auto opened = open_store(options.directory, clock, observer);
  if (!opened) return opened.error().detail;
  std::string wrong = use(**opened);
  (*opened)->close();
  return wrong;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Empty, or what went wrong.
std::string fill_and_check(FillOptions options) {
  const net::SystemClock clock;
  options.sample.now = clock.wall_now();
  const auto begin = std::chrono::steady_clock::now();
  std::string wrong = with_store(options, clock, [&](LevelDbStore& store) {
    std::string refused = Filler(store, options.sample).fill(options.count, options.writers);
    if (!refused.empty()) return refused;
    // The store is left in the state in which a server that has run for long would leave it.
    const Result<> maintained = store.maintain();
    return maintained ? std::string() : maintained.error().detail;
  });
  const double fill_seconds = seconds_since(begin);
  if (!wrong.empty()) return wrong;
  wrong = with_store(options, clock, [&](LevelDbStore& store) {
    std::printf(
        R"({"count": %zu, "unfinished": %zu, "unfinished_bytes": %zu, "fill_seconds": %.3f})"
        "\n",
        options.count, store.unfinished_count(), store.unfinished_bytes(), fill_seconds);
    return Filler(store, options.sample).check(options.count, sample_distance);
  });
  return wrong;
}

/// Fills stores with a few transactions of every kind.
std::string fill_tiny() {
  std::string wrong;
  for (const auto& [name, kind] : kinds) {
    const BenchDir place;
    FillOptions options;
    options.directory = place.path() + "/" + name;
    options.sample.kind = kind;
    options.count = 2 * sample_distance;
    if (wrong.empty()) wrong = fill_and_check(std::move(options));
  }
  return wrong;
}

int run(int argc, char** argv) {
  FillOptions options;
  bool tiny = false;
  CLI::App app("Fills a new store of concertod with transactions, and checks them", "store_fill");
  app.option_defaults()->always_capture_default();
  app.add_option("--directory", options.directory, "of the store; must be empty or absent");
  app.add_option("--count", options.count, "transactions")->check(CLI::PositiveNumber);
  app.add_option("--kind", options.sample.kind, "finished, waiting or unfinished")
      ->transform(CLI::CheckedTransformer(kinds));
  app.add_option("--payload-bytes", options.sample.payload_bytes, "of each branch");
  app.add_option("--writers", options.writers, "transactions written at a time")
      ->check(CLI::PositiveNumber);
  app.add_flag("--tiny", tiny, "a little of every kind in a directory that is gone afterwards");
  CLI11_PARSE(app, argc, argv);
  if (!tiny && options.directory.empty()) {
    std::fprintf(stderr, "--directory is needed\n");
    return 2;
  }
  const std::string wrong = tiny ? fill_tiny() : fill_and_check(std::move(options));
  if (wrong.empty()) return 0;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  return 1;
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  return concerto::bench::run(argc, argv);
}
