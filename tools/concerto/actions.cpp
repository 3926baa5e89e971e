// concerto retry, stop, skip: what is done to one transaction, to several, or to all of a selection

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <unistd.h>
#include <unordered_set>

#include <CLI/CLI.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/utf8.hpp>

#include "jobs.hpp"
#include "load_reading.hpp"
#include "named_row.hpp"
#include "selection.hpp"
#include "table.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t gids_max = 100'000;
/// A request has not more.
constexpr std::size_t gids_at_once = 1'000;

/// What the three verbs differ in.
struct Action {
  const char* name;      ///< of the verb, and of the coordinator's route
  const char* old_path;  ///< the route of older versions for one transaction; null: none
  bool needs_row = false;
};
constexpr Action retrying{"retry", "/api/dtmsvr/resetNextCronTime"};
constexpr Action stopping{"stop", "/api/dtmsvr/forceStop"};
constexpr Action skipping{"skip", nullptr, true};

struct ActionOptions {
  ServerOptions server;
  std::vector<std::string> gids;
  Selection selection;
  std::string reason;
  std::string branch, op;
  std::size_t limit = 0;
  bool all = false;
  bool dry_run = false;
  bool yes = false;
  bool no_wait = false;
};

/// `-` stands for the gids of stdin, one a line. A gid that is there twice counts once.
Result<std::vector<std::string>> gids_of(const ActionOptions& options) {
  std::vector<std::string> gids;
  std::unordered_set<std::string> known;
  const auto add = [&gids, &known](const std::string& gid) {
    if (known.insert(gid).second) gids.push_back(gid);
  };
  for (const std::string& gid : options.gids) {
    if (gid != "-") {
      add(gid);
      continue;
    }
    std::string line;
    while (gids.size() <= gids_max && std::getline(std::cin, line)) {
      if (const std::string read = CLI::detail::trim_copy(line); !read.empty()) add(read);
    }
  }
  if (gids.size() > gids_max) {
    return make_error(VerbErrc::usage, "at most " + std::to_string(gids_max) +
                                           " gids at once; for more use a selection");
  }
  if (!options.gids.empty() && gids.empty()) {
    return make_error(VerbErrc::usage, "there is no gid on stdin");
  }
  return gids;
}

Result<> check_choice(const ActionOptions& options) {
  const bool selects = options.all || !options.selection.is_everything();
  if (options.gids.empty() && !selects) {
    return make_error(VerbErrc::usage,
                      "which transactions? Name gids, or select some, or say --all");
  }
  if (!options.gids.empty() && selects) {
    return make_error(VerbErrc::usage, "gids and a selection do not go together");
  }
  return ok();
}

class ActionRun {
 public:
  ActionRun(const Action& action, const ActionOptions& options, Server& server)
      : action_(action), options_(options), server_(server) {}

  int run(const std::vector<std::string>& gids) {
    json::object body{{"reason", options_.reason}};
    if (!options_.branch.empty()) body["branchId"] = options_.branch;
    if (!options_.op.empty()) body["op"] = options_.op;
    if (options_.limit > 0) body["limit"] = options_.limit;
    if (options_.dry_run) body["dryRun"] = true;
    if (gids.size() == 1) {
      body["gid"] = gids.front();
    } else if (!gids.empty()) {
      body["gids"] = json::array(gids.begin(), gids.end());
    } else {
      auto select = object_of(options_.selection);
      if (!select) return tell(select.error());
      body["select"] = std::move(*select);
    }
    if (!gids.empty() && lacks_row()) {
      if (const Result<> named = name_row(body, gids.size()); !named) return tell(named.error());
    }
    if (gids.empty() && !options_.dry_run) {
      if (const int refused = confirm(body); refused != 0) return refused;
    }
    const auto answer = server_.post(path(), body, options_.reason);
    if (answer) return show(object_of(*answer), gids.size());
    const bool is_old = answer.error().code == make_error_code(VerbErrc::no_route);
    if (is_old && !gids.empty() && !options_.dry_run && action_.old_path != nullptr) {
      return one_by_one(gids);
    }
    if (is_old) {
      return tell(make_error(VerbErrc::no_route,
                             std::string("the coordinator has no bulk action '") + action_.name +
                                 "' (POST " + path() + "); it is an older version"));
    }
    return tell(answer.error());
  }

 private:
  std::string path() const { return std::string("/api/concerto/") + action_.name; }

  bool lacks_row() const {
    const bool is_named = !options_.branch.empty() && !options_.op.empty();
    return action_.needs_row && !is_named && !options_.dry_run;
  }

  /// Asks which row is called next, and names it in the request: repeated, that meets the same row.
  Result<> name_row(json::object& body, std::size_t gids) {
    if (gids > 1) {
      return make_error(VerbErrc::usage,
                        "several transactions may call different branches next: say --branch and "
                        "--op, or name one gid");
    }
    json::object look = body;
    look["dryRun"] = true;
    CONCERTO_TRY(const json::value answer, server_.post(path(), look, options_.reason));
    CONCERTO_TRY(const NamedRow row, row_of_preview(object_of(answer)));
    body["branchId"] = row.branch;
    body["op"] = row.op;
    tell_row(action_.name, row);
    return ok();
  }

  /// Looks what a selection is, and asks whether it is meant. 0: go on.
  int confirm(json::object body) {
    body["dryRun"] = true;
    if (!options_.yes && (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0)) {
      return tell(make_error(VerbErrc::usage,
                             "nobody can be asked here whether the selection is meant: say --yes, "
                             "or look first with --dry-run"));
    }
    // With --yes it says how far the job is, if somebody looks.
    if (options_.yes && ::isatty(STDERR_FILENO) == 0) return 0;
    const auto preview = server_.post(path(), body, options_.reason);
    if (!preview) {
      // The action itself says what is wrong.
      return options_.yes || preview.error().code == make_error_code(VerbErrc::no_route)
                 ? 0
                 : tell(preview.error());
    }
    const json::object& found = object_of(*preview);
    expected_ =
        is_partial(found) ? 0 : count_member(found, "matched") + count_member(found, "refused");
    if (options_.limit > 0 && expected_ > options_.limit) expected_ = options_.limit;
    if (options_.yes) {
      tell_what_waits(found, std::cerr);
      return 0;
    }
    show_preview(found, std::cerr, Terminal::of(STDERR_FILENO));
    std::cerr << action_.name << " them? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "yes") return 0;
    std::cerr << "nothing was changed" << std::endl;
    return exit_refused;
  }

  void show_preview(const json::object& found, std::ostream& out, const Terminal& terminal) const {
    Table table({{"GID", false, false},
                 {"MODE", false, false},
                 {"STATUS", false, false},
                 {"AGE", true, false},
                 {"AT", false, true}});
    for (const json::value& one : array_member(found, "sample")) {
      const json::object& trans = object_of(one);
      const json::array& urls = array_member(trans, "urls");
      const std::string status = text_member(trans, "status");
      json::object with_time{{"create_time", text_member(trans, "createTime")}};
      table.add({text_member(trans, "gid"),
                 text_member(trans, "transType"),
                 {status, colour_of_status(status)},
                 age_of(with_time, server_.now()),
                 urls.empty() || !urls.front().is_string()
                     ? ""
                     : std::string(urls.front().get_string())});
    }
    if (table.size() > 0) table.print(out, terminal);
    const std::uint64_t matched = count_member(found, "matched");
    out << counted(matched, "transaction") << (is_partial(found) ? " or more" : "")
        << (matched > table.size() && table.size() > 0 ? ", some of them above" : "");
    const std::uint64_t refused = count_member(found, "refused");
    if (refused > 0) out << "; it would be refused for " << refused;
    out << std::endl;
    tell_what_waits(found, out);
    if (refused > 0) tell_errors(found);
  }

  /// What is retried and not called all the same.
  void tell_what_waits(const json::object& found, std::ostream& out) const {
    const std::uint64_t held = count_member(found, "held");
    if (held > 0) {
      out << held << " of them " << (held == 1 ? "waits" : "wait")
          << " on: a pause holds up what comes next; look with: concerto pause" << std::endl;
    }
    if (true_member(found, "paused")) out << "nothing is called now: " << paused_text << std::endl;
  }

  int show(const json::object& answer, std::size_t gids) {
    const bool is_table = options_.server.form == Form::table;
    if (answer.contains("dryRun")) {
      if (!is_table) {
        write_document(std::cout, options_.server.form, json::value(answer));
      } else {
        show_preview(answer, std::cout, Terminal::of(STDOUT_FILENO));
      }
      return 0;
    }
    if (answer.contains("id")) {
      if (!options_.no_wait) {
        return follow_job(server_, answer, gids > 0 ? gids : expected_, options_.server.form);
      }
      show_job(answer, options_.server.form);
      return 0;
    }
    tell_errors(answer);
    tell_what_waits(answer, std::cerr);
    return show_counts(count_member(answer, "done"), count_member(answer, "failed"));
  }

  int show_counts(std::uint64_t done, std::uint64_t failed) const {
    if (options_.server.form != Form::table) {
      write_document(std::cout, options_.server.form,
                     json::object{{"done", done}, {"failed", failed}});
    } else {
      std::cout << done << " done, " << failed << " failed" << std::endl;
    }
    if (failed == 0) return 0;
    return done == 0 ? exit_failed : exit_partly;
  }

  /// For coordinators that know no bulk actions.
  int one_by_one(const std::vector<std::string>& gids) {
    const bool shows = gids.size() > 1 && ::isatty(STDERR_FILENO) != 0;
    Progress progress(std::cerr, shows, server_.clock());
    if (shows) progress.begin(action_.name, gids.size());
    std::uint64_t done = 0;
    int only_code = 0;
    for (const std::string& gid : gids) {
      const auto answer =
          server_.post(action_.old_path, json::object{{"gid", gid}}, options_.reason);
      if (shows) progress.advance(1);
      if (answer) {
        ++done;
        continue;
      }
      if (shows) progress.interrupt();
      only_code = tell({answer.error().code, gid + ": " + answer.error().detail});
      if (only_code == exit_unreachable) break;
    }
    if (shows) progress.end();
    const int code = show_counts(done, gids.size() - done);
    return gids.size() == 1 && only_code != 0 ? only_code : code;
  }

  const Action& action_;
  const ActionOptions& options_;
  Server& server_;
  std::uint64_t expected_ = 0;  ///< how many a selection has; 0: not known
};

/// More gids than a request may have are several requests, one after the other. If they end
/// differently, the code is exit_partly.
int run_in_parts(const Action& action, const ActionOptions& options, Server& server,
                 const std::vector<std::string>& gids) {
  if (gids.size() <= gids_at_once) return ActionRun(action, options, server).run(gids);
  std::optional<int> code;
  for (std::size_t first = 0; first < gids.size(); first += gids_at_once) {
    const auto begin = gids.begin() + static_cast<std::ptrdiff_t>(first);
    const std::size_t count = std::min(gids_at_once, gids.size() - first);
    const int one =
        ActionRun(action, options, server).run({begin, begin + static_cast<std::ptrdiff_t>(count)});
    code = code.value_or(one) == one ? one : exit_partly;
    if (one == exit_unreachable) break;  // Of what was done before, nothing is taken back.
  }
  return *code;
}

int act(const Action& action, const ActionOptions& options) {
  if (const auto right = check_choice(options); !right) return tell(right.error());
  if (options.selection.is_everything() == false) {
    if (const auto right = query_of(options.selection); !right) return tell(right.error());
  }
  const auto gids = gids_of(options);
  if (!gids) return tell(gids.error());
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  return run_in_parts(action, options, **server, *gids);
}

std::function<int()> add_action(CLI::App& app, const Action& action) {
  auto options = std::make_shared<ActionOptions>();
  app.add_option("gids", options->gids, "The transactions; - reads gids from stdin, one a line")
      ->type_name("GID");
  CLI::Option* const reason =
      app.add_option("--reason", options->reason, "Why, for the audit log")->type_name("TEXT");
  if (std::string_view(action.name) == "skip") {
    reason->required();
    app.add_option("--branch", options->branch,
                   "The branch; by default the one that is called next, if one gid is named")
        ->type_name("BRANCH");
    app.add_option("--op", options->op,
                   "Its operation, as action or compensate; by default as for --branch")
        ->type_name("OP");
  }
  app.add_flag("--dry-run", options->dry_run, "Show what would be done, and change nothing");
  app.add_option("--limit", options->limit, "Do it to so many at most")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}).description(""));
  app.add_flag("--all", options->all, "All that can be, without a selection");
  app.add_flag("-y,--yes", options->yes, "Do not ask whether a selection is meant");
  app.add_flag("--no-wait", options->no_wait, "Do not wait for the end of a job");
  add_selection_options(app, options->selection);
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "Several transactions are a job of the coordinator, which goes on without this program.\n"
      "The exit code is 6 if it was done to some of them and not to others.");
  return [options, &action] { return act(action, *options); };
}

}  // namespace

std::function<int()> add_retry(CLI::App& app) {
  return add_action(app, retrying);
}

std::function<int()> add_stop(CLI::App& app) {
  return add_action(app, stopping);
}

std::function<int()> add_skip(CLI::App& app) {
  return add_action(app, skipping);
}

}  // namespace concerto::tools
