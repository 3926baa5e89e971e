// concerto-load: submits transactions to a running coordinator, measures, and checks that every
// acknowledged transaction ended as it should.

#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>

#include <sys/resource.h>

#include "hgrm.hpp"
#include "load.hpp"
#include "out_of_memory.hpp"
#include "standard_streams.hpp"

namespace concerto::load {
namespace {

constexpr int exit_failed = 1;

/// Over HTTP each transaction in flight has a connection of its own, for which files must be
/// allowed.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// False if the file could not be written. An empty `path` means that nothing is to be written.
bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::cerr << "'" << path << "' cannot be written\n";
  return static_cast<bool>(file);
}

int run(const LoadOptions& options) {
  Load load(options);
  const Result<Report> report = load.run();
  if (!report) {
    std::cerr << report.error().detail << '\n';
    return exit_failed;
  }
  const bool json_to_stdout = options.json_file == "-";
  const std::string json = to_json(*report);
  std::cout << (json_to_stdout ? json : to_text(*report)) << std::flush;
  bool written = write_file(json_to_stdout ? "" : options.json_file, json);
  written &= write_file(options.hgrm_file, to_hgrm(report->tally.latency_us()));
  written &= write_file(options.html_file, to_html(*report));
  if (json_to_stdout && !report->passed()) std::cerr << to_text(*report);
  return report->passed() && written ? 0 : exit_failed;
}

}  // namespace
}  // namespace concerto::load

int main(int argc, char** argv) {
  using namespace concerto::load;
  if (!concerto::tools::open_standard_streams()) return exit_failed;
  concerto::tools::end_when_out_of_memory("concerto-load");
  const LoadCommandLine command = parse_command_line({argv + 1, argv + argc});
  std::cout << command.for_stdout;
  std::cerr << command.for_stderr;
  if (command.exit_code) return *command.exit_code;
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  try {
    return run(command.options);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return exit_failed;
  }
}
