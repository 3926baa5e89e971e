#include "command_line.hpp"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

namespace concerto::tools {
namespace {

constexpr int usage_error = 2;

// `-name=value` in two parts; flags that are switched off leave nothing.
void normalize(std::string_view argument, std::vector<std::string>& out) {
  argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
  const auto equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const std::string dashed = (name.size() > 1 ? "--" : "-") + std::string{name};
  if (equals == std::string_view::npos) {
    out.push_back(dashed);
    return;
  }
  const std::string_view value = argument.substr(equals + 1);
  if (name == "c" || (value != "true" && value != "false")) {
    out.push_back(dashed);
    out.emplace_back(value);
  } else if (value == "true") {
    out.push_back(dashed);
  }
}

std::vector<std::string> normalized(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  bool is_value = false;
  for (const std::string& argument : arguments) {
    if (!is_value && argument.size() > 1 && argument.starts_with('-')) {
      normalize(argument, out);
    } else {
      out.push_back(argument);
    }
    is_value = !is_value && (argument == "-c" || argument == "--c");
  }
  return out;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  bool version = false;
  std::vector<std::string> positional;
  CLI::App app{"Coordinator of distributed transactions", "concertod"};
  app.set_help_flag("-h,--help", "Print this");
  app.add_option("-c", line.config_file, "YAML configuration file")->type_name("FILE");
  app.add_flag("-d", line.debug, "Log at level debug");
  app.add_flag("-r", line.reset, "Drop ALL stored transactions before the start");
  app.add_flag("-v", version, "Print the version");
  app.add_flag("--check-config", line.check_config, "Check the configuration and end");
  app.add_flag("--print-config", line.print_config, "Print the configuration in use and end");
  app.add_option("ignored", positional)->group("");

  std::vector<std::string> reversed = normalized(arguments);
  std::ranges::reverse(reversed);  // CLI11 takes them last first.
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    line.exit_code = 0;
  } catch (const CLI::ParseError& error) {
    line.exit_code = usage_error;
    line.for_stderr = std::string{error.what()} + "\n";
  }
  if (!line.exit_code && !positional.empty()) line.exit_code = 0;
  if (line.exit_code) {
    line.for_stderr += app.help();
  } else if (version) {
    line.exit_code = 0;
    line.for_stdout = "dtm version: " CONCERTO_VERSION "\n";
  }
  return line;
}

}  // namespace concerto::tools
