#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace concerto::tools {

// Exit codes of the program.
inline constexpr int exit_failed = 1;   ///< it began, and did not come to a good end
inline constexpr int exit_usage = 2;    ///< the command line is wrong
inline constexpr int exit_refused = 3;  ///< nothing was changed

/// Adds the options of a verb to its part of the command line. The function that it returns runs
/// the verb once the options were read, and returns the exit code of the process.
using AddVerb = std::function<int()> (*)(CLI::App& options);

std::function<int()> add_migrate(CLI::App& options);

/// What the program does: `concerto <name> ..`.
struct Verb {
  std::string_view name;
  std::string_view help;
  AddVerb add;
};

/// All verbs. A new verb is one source file and one row.
std::span<const Verb> verbs() noexcept;

}  // namespace concerto::tools
