// concerto-load: submits transactions to a running coordinator, measures, and checks that every
// acknowledged transaction ended as it should.

#include <csignal>
#include <exception>
#include <iostream>
#include <utility>

#include <sys/resource.h>

#include "hgrm.hpp"
#include "load.hpp"
#include "out_of_memory.hpp"
#include "output_files.hpp"
#include "run_info.hpp"
#include "standard_output.hpp"
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

/// The last line of all output says whether the load has passed. With JSON on stdout it is on
/// stderr, behind the whole text if the load has failed.
int run(const LoadOptions& options, RunInfo info) {
  Load load(options);
  Result<Report> report = load.run();
  if (!report) {
    std::cerr << report.error().detail << '\n' << "failed: the load could not begin\n";
    return exit_failed;
  }
  report->run = std::move(info);
  const bool json_to_stdout = options.json_file == "-";
  const std::string json = to_json(*report);
  bool written = write_output_file(json_to_stdout ? "" : options.json_file, json);
  written &= write_output_file(options.hgrm_file, to_hgrm(report->tally.latency_us()));
  written &= write_output_file(options.html_file, to_html(*report));
  std::cout << (json_to_stdout ? json : to_text(*report)) << std::flush;
  if (json_to_stdout) std::cerr << (report->passed() ? report->verdict() + "\n" : to_text(*report));
  return report->passed() && written ? 0 : exit_failed;
}

}  // namespace
}  // namespace concerto::load

int main(int argc, char** argv) {
  using namespace concerto::load;
  if (!concerto::tools::open_standard_streams()) return exit_failed;
  concerto::tools::end_when_out_of_memory("concerto-load");
  const LoadCommandLine command = parse_command_line({argv + 1, argv + argc});
  std::cerr << command.for_stderr;
  const auto tell = [&command] {
    std::cout << command.for_stdout;
    return *command.exit_code;
  };
  if (command.exit_code) return concerto::tools::run_with_output(tell);
  if (const std::string wrong = try_output_files(command.options); !wrong.empty()) {
    std::cerr << wrong << '\n';
    return exit_usage;
  }
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  try {
    return concerto::tools::run_with_output([&] {
      return run(command.options, run_info({argv, argv + argc}));
    });
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return exit_failed;
  }
}
