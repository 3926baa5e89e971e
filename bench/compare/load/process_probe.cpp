#include "process_probe.hpp"

#include <fstream>
#include <string>
#include <time.h>

namespace concerto::bench {

Result<ProcessUse> use_of_process(pid_t process) {
  ProcessUse use;
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return make_error(Errc::invalid_request, "no process " + std::to_string(process));
  }
  use.cpu_us = static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
  const std::string name = "/proc/" + std::to_string(process) + "/io";
  std::ifstream io(name);
  std::string field;
  std::uint64_t value = 0;
  while (io >> field >> value) {
    if (field != "write_bytes:") continue;
    use.disk_bytes = value;
    return use;
  }
  return make_error(Errc::invalid_request, name + " cannot be read");
}

}  // namespace concerto::bench
