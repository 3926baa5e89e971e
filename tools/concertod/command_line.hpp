#pragma once

#include <optional>
#include <string>
#include <vector>

namespace concerto::tools {

/// The options of the command line (protocol page 06, section 3).
struct CommandLine {
  std::string config_file{};
  bool debug = false;         ///< log level debug
  bool reset = false;         ///< drop all stored data before the start
  bool yes = false;           ///< with `reset` at a terminal: drop unfinished transactions too
  bool even_in_use = false;   ///< with `reset`: drop what others work on, too
  bool paused = false;        ///< call no service until an operator says so
  bool verify = false;        ///< check the embedded store, and end
  bool check_config = false;  ///< say what is wrong with the configuration, and end
  bool print_config = false;  ///< print the configuration in use, and end
  bool print_access = false;  ///< print who may use what, and end
  bool print_sample = false;  ///< print a configuration with every key, and end
  bool print_keys = false;    ///< print the page about all keys, and end

  /// Set if the process ends at once: after help, after the version, or after a mistake.
  std::optional<int> exit_code{};
  std::string for_stdout{};
  std::string for_stderr{};
};

/// Reads the arguments behind the program's name. Flags may be written as for Go's flag package:
/// with one dash or two, `-c=FILE` or `-c FILE`, `-d` or `-d=true`.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace concerto::tools
