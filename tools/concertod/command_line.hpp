#pragma once

#include <optional>
#include <string>
#include <vector>

namespace concerto::tools {

/// What the command line asks for (protocol page 06, section 3).
struct CommandLine {
  std::string config_file{};
  bool debug = false;         ///< log level debug
  bool reset = false;         ///< drop what is stored before the start
  bool yes = false;           ///< also what is unfinished, when a terminal asks
  bool check_config = false;  ///< say what is wrong with the configuration, and end
  bool print_config = false;  ///< print the configuration in use, and end
  bool print_sample = false;  ///< print a configuration with every key, and end
  bool print_keys = false;    ///< print the page about all keys, and end

  /// Set when the process ends right here: after help, the version, or a mistake.
  std::optional<int> exit_code{};
  std::string for_stdout{};
  std::string for_stderr{};
};

/// Reads the arguments behind the program's name. Flags may be written as Go's flag package takes
/// them: one dash or two, `-c=FILE` or `-c FILE`, `-d` or `-d=true`.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace concerto::tools
