#include "usage_probe.hpp"

#include <fstream>
#include <sstream>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace concerto::load {

Result<double> cpu_us_of_process(pid_t process) {
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return make_error(Errc::invalid_request, "no process " + std::to_string(process));
  }
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

std::optional<std::uint64_t> resident_bytes_of_process(pid_t process) {
  std::ifstream pages("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(pages >> all >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> device_bytes_written(const std::string& directory) {
  constexpr std::uint64_t sector_bytes = 512;  // in /proc/diskstats, whatever the device has
  struct stat place {};
  if (::stat(directory.c_str(), &place) != 0) return std::nullopt;
  std::ifstream rows("/proc/diskstats");
  for (std::string line; std::getline(rows, line);) {
    std::istringstream row(line);
    unsigned major_number = 0;
    unsigned minor_number = 0;
    std::string name;
    std::uint64_t reads[4] = {};
    std::uint64_t writes = 0;
    std::uint64_t merged = 0;
    std::uint64_t sectors = 0;
    row >> major_number >> minor_number >> name;
    for (std::uint64_t& field : reads) row >> field;
    row >> writes >> merged >> sectors;
    const bool found = row && ::gnu_dev_makedev(major_number, minor_number) == place.st_dev;
    if (found) return sectors * sector_bytes;
  }
  return std::nullopt;
}

}  // namespace concerto::load
