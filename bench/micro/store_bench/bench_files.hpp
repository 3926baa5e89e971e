#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

#include <sys/resource.h>

namespace concerto::bench {

/// CPU time of all threads until now.
inline double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A directory on a disk (TMPDIR or /tmp) that is removed after the benchmark.
class BenchDir {
 public:
  BenchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "concerto-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + name);
    path_ = name;
  }
  ~BenchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchDir(const BenchDir&) = delete;
  BenchDir& operator=(const BenchDir&) = delete;

  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// Adds the benchmarks of log_bench.cpp.
void add_log_benchmarks(bool tiny);

}  // namespace concerto::bench
