#pragma once

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/base/clock.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/leveldb_store.hpp>

#include "file_content.hpp"
#include "sample_transactions.hpp"
#include "temp_dir.hpp"

namespace concerto::test {

/// Wall time stands still until a test moves it. Steady time passes, because the committer really
/// waits.
class StoreClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override {
    return at_second(0) + std::chrono::nanoseconds{passed_.load()};
  }
  void advance(std::chrono::nanoseconds time) { passed_ += time.count(); }

 private:
  std::atomic<std::int64_t> passed_ = 0;
};

/// Keeps the lines that a store logs.
class LogLines final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    text_ += std::string(text) + "\n";
  }
  bool logs(LogLevel) const noexcept override { return true; }

  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

/// Options with small sizes, so that a test uses every part of the store.
inline persist::LevelDbOptions small_options(const std::string& path) {
  persist::LevelDbOptions options;
  options.path = path;
  options.write_buffer_bytes = 256 << 10;
  options.zero_step_bytes = 64 << 10;
  options.filter_bytes = 16 << 10;
  options.reader_threads = 1;
  options.reserve_bytes = 0;
  options.waits_for_room = false;
  return options;
}

/// The store takes no changes any more.
inline bool has_failed(const persist::LevelDbStore& store) {
  return store.health().state == StoreHealth::State::failed;
}

/// Files below `path` whose names have this end, sorted.
inline std::vector<std::string> files_below(const std::string& path, const std::string& end) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(end)) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace concerto::test
