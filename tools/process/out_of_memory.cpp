#include "out_of_memory.hpp"

#include <cstring>
#include <new>
#include <unistd.h>

namespace concerto::tools {
namespace {

const char* program_name = "";

void write_text(const char* text) noexcept {
  // The process ends whether or not the text is written.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

/// Must not allocate.
[[noreturn]] void end_process() {
  write_text(program_name);
  write_text(": out of memory: the machine's, or that of a limit (ulimit -v, a cgroup's)\n");
  ::_exit(1);
}

}  // namespace

void end_when_out_of_memory(const char* program) noexcept {
  program_name = program;
  std::set_new_handler(end_process);
}

}  // namespace concerto::tools
