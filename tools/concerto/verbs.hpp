#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace concerto::tools {

// Exit codes of the program. Scripts may rely on them.
inline constexpr int exit_failed = 1;        ///< it began, and did not come to a good end
inline constexpr int exit_usage = 2;         ///< the command line is wrong
inline constexpr int exit_refused = 3;       ///< nothing was changed
inline constexpr int exit_not_found = 4;     ///< what is named is not there
inline constexpr int exit_unreachable = 5;   ///< the coordinator cannot be asked now, or is none
inline constexpr int exit_partly = 6;        ///< done for some, not for others
inline constexpr int exit_trans_failed = 7;  ///< `watch`: the transaction has failed
inline constexpr int exit_late = 8;          ///< `watch`: its time was over before the end

/// Adds the options of a verb to its part of the command line. The function that it returns runs
/// the verb once the options were read, and returns the exit code of the process.
using AddVerb = std::function<int()> (*)(CLI::App& options);

std::function<int()> add_audit(CLI::App& options);
std::function<int()> add_bench(CLI::App& options);
std::function<int()> add_completion(CLI::App& options);
std::function<int()> add_context(CLI::App& options);
std::function<int()> add_count(CLI::App& options);
std::function<int()> add_doctor(CLI::App& options);
std::function<int()> add_edit(CLI::App& options);
std::function<int()> add_get(CLI::App& options);
std::function<int()> add_jobs(CLI::App& options);
std::function<int()> add_list(CLI::App& options);
std::function<int()> add_man(CLI::App& options);
std::function<int()> add_migrate(CLI::App& options);
std::function<int()> add_pause(CLI::App& options);
std::function<int()> add_resume(CLI::App& options);
std::function<int()> add_begin(CLI::App& options);
std::function<int()> add_archive(CLI::App& options);
std::function<int()> add_retry(CLI::App& options);
std::function<int()> add_skip(CLI::App& options);
std::function<int()> add_stop(CLI::App& options);
std::function<int()> add_targets(CLI::App& options);
std::function<int()> add_top(CLI::App& options);
std::function<int()> add_topics(CLI::App& options);
std::function<int()> add_watch(CLI::App& options);
std::function<int()> add_why(CLI::App& options);
std::function<int()> add_backup(CLI::App& options);
std::function<int()> add_restore(CLI::App& options);
std::function<int()> add_verify(CLI::App& options);

/// What the program does: `concerto <name> ..`.
struct Verb {
  std::string_view name;
  std::string_view help;
  AddVerb add;
};

/// All verbs. A new verb is one source file and one row.
std::span<const Verb> verbs() noexcept;

}  // namespace concerto::tools
