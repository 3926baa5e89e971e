// concerto: what an operator does with stores and coordinators, apart from running one.

#include <csignal>
#include <exception>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>

#include "out_of_memory.hpp"
#include "standard_streams.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

int run(int argc, char** argv) {
  CLI::App app("What an operator does with the stores of Concerto", "concerto");
  app.set_version_flag("--version", "concerto " CONCERTO_VERSION);
  app.require_subcommand(1);
  std::vector<std::pair<const CLI::App*, std::function<int()>>> known;
  for (const Verb& verb : verbs()) {
    CLI::App* const options = app.add_subcommand(std::string(verb.name), std::string(verb.help));
    known.emplace_back(options, verb.add(*options));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  for (const auto& [options, run_verb] : known) {
    if (options->parsed()) return run_verb();
  }
  return exit_usage;
}

}  // namespace
}  // namespace concerto::tools

int main(int argc, char** argv) {
  using namespace concerto::tools;
  if (!open_standard_streams()) return exit_failed;
  end_when_out_of_memory("concerto");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return exit_failed;
  }
}
