// concerto: what an operator does with stores and coordinators, apart from running one.

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "out_of_memory.hpp"
#include "secrets.hpp"
#include "standard_output.hpp"
#include "standard_streams.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

/// Takes the passwords of URLs out of the command line, which every user of the machine can see.
/// Returns the arguments as they were.
std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (int i = 1; i < argc; ++i) {
    const std::string& argument = arguments[static_cast<std::size_t>(i)];
    const std::size_t scheme = argument.find("://");
    const bool has_secret =
        argument.find('@') != std::string::npos || argument.find("assword") != std::string::npos;
    if (scheme == std::string::npos || !has_secret) continue;
    for (char* c = argv[i] + scheme + 3; *c != '\0'; ++c) *c = '*';
  }
  return arguments;
}

int run(const std::vector<std::string>& arguments) {
  CLI::App app("The command line of Concerto's operators", "concerto");
  app.set_version_flag("--version", "concerto " CONCERTO_VERSION);
  app.require_subcommand(1);
  const KnownVerbs known = add_verbs(app);
  const auto ordered = in_order(app, arguments);
  if (!ordered) return tell(ordered.error());
  try {
    std::vector<const char*> words;
    for (const std::string& argument : *ordered) words.push_back(argument.c_str());
    app.parse(static_cast<int>(words.size()), words.data());
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
  forbid_core_dumps();  // `migrate` has the passwords of two stores.
  end_when_out_of_memory("concerto");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run_with_output([argc, argv] { return run(take_arguments(argc, argv)); });
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return exit_failed;
  }
}
