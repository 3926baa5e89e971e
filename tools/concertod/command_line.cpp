#include "command_line.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

namespace concerto::tools {
namespace {

constexpr int usage_error = 2;

constexpr std::array<std::string_view, 5> true_words{"1", "t", "T", "true", "TRUE"};
constexpr std::array<std::string_view, 5> false_words{"0", "f", "F", "false", "FALSE"};

bool is_among(std::string_view word, const std::array<std::string_view, 5>& words) {
  return std::ranges::find(words, word) != words.end();
}

/// The arguments in the form that CLI11 reads. The rules are those of Go's flag package, which the
/// reference uses: reading ends at the first argument that is not a flag, and of several flags with
/// one name the last one counts.
struct SplitArguments {
  std::vector<std::string> flags;
  std::optional<std::string> operand;  ///< the first argument that is not a flag
};

/// Adds `-name=value` to `flags` in two parts. A flag that is switched off adds nothing and removes
/// an earlier flag of the same name.
void add_flag(std::string_view argument, std::vector<std::string>& flags) {
  argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
  const auto equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const std::string dashed = (name.size() > 1 ? "--" : "-") + std::string{name};
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? argument.substr(equals + 1) : std::string_view{};
  if (name == "c") {
    flags.push_back(dashed);
    if (has_value) flags.emplace_back(value);
    return;
  }
  std::erase(flags, dashed);
  if (has_value && is_among(value, false_words)) return;
  flags.push_back(dashed);
  if (has_value && !is_among(value, true_words)) flags.back() += "=" + std::string{value};
}

SplitArguments split_arguments(const std::vector<std::string>& arguments) {
  SplitArguments split;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--" || argument.size() < 2 || !argument.starts_with('-')) {
      const std::size_t first = argument == "--" ? i + 1 : i;
      if (first < arguments.size()) split.operand = arguments[first];
      return split;
    }
    add_flag(argument, split.flags);
    const bool wants_file = argument == "-c" || argument == "--c";
    if (wants_file && i + 1 < arguments.size()) split.flags.push_back(arguments[++i]);
  }
  return split;
}

/// The answer to `--check-config my.yml`, where `-c` was forgotten.
CommandLine unexpected(const std::string& operand) {
  CommandLine line;
  line.exit_code = usage_error;
  line.for_stderr = "unexpected argument '" + operand + "': did you mean -c " + operand + "?\n";
  return line;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  bool version = false;
  bool own_version = false;
  CLI::App app{"Coordinator of distributed transactions", "concertod"};
  app.set_help_flag("-h,--help", "Print this");
  app.add_option("-c", line.config_file, "YAML configuration file")
      ->type_name("FILE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_flag("-d", line.debug, "Log at level debug");
  app.add_flag("-r", line.reset, "Drop ALL stored transactions, then start");
  app.add_flag("--yes", line.yes,
               "With -r at a terminal: do not ask about unfinished transactions");
  app.add_flag(
      "--even-in-use", line.even_in_use,
      "With -r: drop the store even while other coordinators, or servers of DTM, work on it");
  app.add_flag("--paused", line.paused,
               "Call no service until POST /api/concerto/begin, for a store of a backup");
  app.add_flag("--verify", line.verify, "Check all of the stored data, change nothing, and end");
  app.add_flag("-v", version, "Print the version");
  app.add_flag("--check-config", line.check_config, "Check the configuration and end");
  app.add_flag("--print-config", line.print_config, "Print the configuration in use and end");
  app.add_flag("--print-access", line.print_access,
               "Print who may use which method over HTTP, JSON-RPC and gRPC, and end");
  app.add_flag("--print-sample", line.print_sample,
               "Print a sample configuration: every key with its default and meaning; and end");
  app.add_flag("--print-keys", line.print_keys, "Print all keys as a Markdown page and end");
  app.add_flag("--version", own_version, "Print the name and the version");

  SplitArguments split = split_arguments(arguments);
  std::vector<std::string>& reversed = split.flags;
  std::ranges::reverse(reversed);  // CLI11 takes the last argument first
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    line.exit_code = 0;
    line.for_stdout = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    line.exit_code = usage_error;
    line.for_stderr = std::string{error.what()} + "\n";
  }
  if (!line.exit_code && split.operand) {
    // The file was meant to be checked. A script must not take exit code 0 for its correctness.
    if (line.check_config || line.print_config || line.print_access || line.verify || line.paused) {
      return unexpected(*split.operand);
    }
    line.exit_code = 0;
  }
  if (line.exit_code) {
    line.for_stderr += app.help();
  } else if (own_version) {
    line.exit_code = 0;
    line.for_stdout = "concertod " CONCERTO_VERSION "\n";
  } else if (version) {
    line.exit_code = 0;
    line.for_stdout = "dtm version: " CONCERTO_VERSION "\n";
  }
  return line;
}

}  // namespace concerto::tools
