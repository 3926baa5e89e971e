#include "run_info.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sched.h>
#include <string_view>
#include <unistd.h>

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <concerto/base/masked_url.hpp>

#include "number_text.hpp"

namespace concerto::load {
namespace {

constexpr double bytes_per_gib = 1024.0 * 1024.0 * 1024.0;

bool is_plain(char c) {
  const auto is_in = [c](char first, char last) { return c >= first && c <= last; };
  return is_in('a', 'z') || is_in('A', 'Z') || is_in('0', '9') ||
         std::string_view("-_./:=,@%+").find(c) != std::string_view::npos;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return out + "'";
}

/// The URL in an argument may stand behind the name of its option. URLs of gRPC have no scheme.
std::string masked(const std::string& argument) {
  if (!argument.starts_with("--")) return masked_url(argument);
  const std::size_t equals = argument.find('=');
  if (equals == argument.npos) return argument;
  return argument.substr(0, equals + 1) + masked_url(argument.substr(equals + 1));
}

/// The name of the processor as the kernel has it. Empty on processors that have none.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return {};
}

std::string cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const long all = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
  std::string text = std::to_string(all);
  const bool known = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0;
  if (known && CPU_COUNT(&allowed) < all) {
    text = std::to_string(CPU_COUNT(&allowed)) + " of " + text;
  }
  const std::string name = processor();
  return text + (name.empty() ? " cores" : " x " + name);
}

std::string machine() {
  utsname system{};
  if (::uname(&system) != 0) return "unknown";
  std::string text = std::string(system.nodename) + ": " + cores();
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) {
    const double bytes = static_cast<double>(memory.totalram) * memory.mem_unit;
    text += ", " + fixed(bytes / bytes_per_gib, 1) + " GiB";
  }
  return text + ", " + system.sysname + " " + system.release;
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  char text[64];
  ::gmtime_r(&now, &parts);
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text, size};
}

}  // namespace

std::string shell_text(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    text += (text.empty() ? "" : " ") + quoted(masked(argument));
  }
  return text;
}

RunInfo run_info(const std::vector<std::string>& arguments) {
  return {machine(), date(), shell_text(arguments)};
}

}  // namespace concerto::load
