#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace concerto::tools {

/// What the command line says of an option or of a word behind a verb. Help, man pages, pages of
/// docs and completions all come from the same description.
struct OptionPage {
  std::vector<std::string> names;    ///< `-o`, `--output`; the name alone of a word without dashes
  std::string value;                 ///< `FILE`; empty for a flag, and where there are choices
  std::vector<std::string> choices;  ///< the words that the value may be; empty: any
  std::string help;
  std::string normal;  ///< the value that it has if it is not given; may be empty
  std::string group;
  std::vector<std::string> needs;  ///< what has to be given as well
  bool has_value = false;
  bool is_word = false;  ///< stands without a name before it
  bool is_required = false;
  bool may_repeat = false;
};

/// What the command line says of a verb, or of the whole program.
struct VerbPage {
  std::string path;  ///< `context add`; empty for the program
  std::string help;
  std::string footer;
  std::vector<OptionPage> options;  ///< words first
  std::vector<VerbPage> parts;      ///< verbs below this one

  std::string_view name() const noexcept;  ///< the last word of the path
};

/// Reads the description out of the parser.
VerbPage describe(const CLI::App& app, const std::string& path = {});

/// `concerto context add [OPTIONS] NAME`
std::string usage_of(const VerbPage& page);

/// The value of an option for people: `FILE`, `table|json|yaml`; empty for a flag.
std::string value_of(const OptionPage& option);

/// What follows the help of an option: ` (normally 20)`, ` (required)`, ` (with --reason)`.
std::string conditions_of(const OptionPage& option);

/// What a number that the program ends with means, one row each.
struct ExitRow {
  int code;
  std::string_view meaning;
};
const std::vector<ExitRow>& exit_rows();

/// Variables of the environment that the program reads.
struct VariableRow {
  std::string_view name;
  std::string_view meaning;
};
const std::vector<VariableRow>& variable_rows();

/// A man page (man(7)) of the program or of one of its verbs. `date`: 2026-11-30.
std::string man_page(const VerbPage& page, const VerbPage& program, const std::string& version,
                     const std::string& date);

/// The whole program as a page of docs.
std::string markdown_page(const VerbPage& program);

// Scripts that a shell reads.
std::string bash_completion(const VerbPage& program);
std::string zsh_completion(const VerbPage& program);
std::string fish_completion(const VerbPage& program);

}  // namespace concerto::tools
