#include "process_metrics.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <sys/resource.h>

namespace concerto::tools {
namespace {

/// The fields of /proc/self/stat behind the program's name, which may contain anything.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  std::vector<std::string> fields;
  if (name_end == std::string::npos) return fields;
  std::istringstream rest(line.substr(name_end + 1));
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

/// When the machine started, in seconds since 1970.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

std::size_t open_files() {
  std::error_code failed;
  std::filesystem::directory_iterator file("/proc/self/fd", failed);
  std::size_t count = 0;
  for (; !failed && file != std::filesystem::directory_iterator{}; file.increment(failed)) ++count;
  return count;
}

double number_of(const std::string& field) {
  double number = 0;
  std::from_chars(field.data(), field.data() + field.size(), number);
  return number;
}

}  // namespace

void collect_process(MetricSet& metrics) {
  // Numbered as in proc(5), from the third field on.
  constexpr std::size_t start_time = 22 - 3, virtual_bytes = 23 - 3, resident_pages = 24 - 3;
  const std::vector<std::string> fields = stat_fields();
  if (fields.size() > resident_pages) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    metrics.gauge("process_start_time_seconds", "Start of the process, seconds since 1970", {},
                  boot_time() + number_of(fields[start_time]) / ticks);
    metrics.gauge("process_virtual_memory_bytes", "Virtual memory", {},
                  number_of(fields[virtual_bytes]));
    metrics.gauge("process_resident_memory_bytes", "Resident memory", {},
                  number_of(fields[resident_pages]) * static_cast<double>(::getpagesize()));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    metrics.counter("process_cpu_seconds_total", "CPU time, user and system", {},
                    seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  metrics.gauge("process_open_fds", "Open files", {}, static_cast<double>(open_files()));
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    metrics.gauge("process_max_fds", "Files that may be open", {},
                  static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace concerto::tools
