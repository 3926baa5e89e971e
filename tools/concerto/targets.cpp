// concerto targets: what waits for which service

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "group_counts.hpp"
#include "metrics_text.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct TargetsOptions {
  ServerOptions server;
};

struct TargetState {
  std::optional<std::uint64_t> waiting = 0;  ///< nothing: not known
  std::string oldest;
  double calls = 0, errors = 0;
  std::string paused;  ///< whether whole or in part, and why; empty if it is not
};
using ByTarget = std::map<std::string, TargetState>;

/// What is known of the services. Nothing is known of their calls if the metrics may not be read.
struct Targets {
  ByTarget each;
  bool knows_calls = false;
  bool is_complete = true;  ///< whether all groups were counted
};

void add_waiting(ByTarget& targets, const json::value& counts) {
  for (const json::value& one : array_member(object_of(counts), "groups")) {
    const json::object& group = object_of(one);
    const std::string value = text_member(group, "value");
    if (value.empty() || value == no_value) continue;
    TargetState& target = targets[target_of(value)];
    *target.waiting += count_member(group, "count");
    const std::string oldest = text_member(group, "oldest");
    if (target.oldest.empty() || read_time(oldest) < read_time(target.oldest)) {
      target.oldest = oldest;
    }
  }
}

void add_calls(ByTarget& targets, const MetricsText& metrics) {
  for (const auto& sample : metrics.samples("concerto_branch_calls_total")) {
    const auto name = sample.labels.find("target");
    const auto outcome = sample.labels.find("outcome");
    if (name == sample.labels.end() || outcome == sample.labels.end()) continue;
    TargetState& target = targets[name->second];
    target.calls += sample.value;
    if (outcome->second == "error") target.errors += sample.value;
  }
}

/// A pause is of URLs with a text in them: of services whole, of parts of one, or of none that is
/// known here, which then has a row of its own.
void add_pause_of(ByTarget& targets, const json::object& pause) {
  const std::string value = text_member(pause, "value");
  const std::string reason = text_member(pause, "reason");
  const auto mark = [&reason](TargetState& target, const std::string& what) {
    target.paused = reason.empty() ? what : what + ": " + reason;
  };
  bool is_shown = false;
  for (auto& [name, target] : targets) {
    const bool is_whole = (name + "/").find(value) != std::string::npos;
    const bool is_part = !is_whole && value.find(name + "/") != std::string::npos;
    if (is_whole) mark(target, "yes");
    if (is_part) mark(target, "in part, " + value);
    is_shown = is_shown || is_whole || is_part;
  }
  if (is_shown) return;
  TargetState& target = targets[value];
  target.waiting.reset();
  if (pause.contains("waiting")) target.waiting = count_member(pause, "waiting");
  mark(target, "yes");
}

/// Pauses are shown if the coordinator knows them.
Result<> add_pauses(ByTarget& targets, Server& server) {
  const auto answer = server.get("/api/concerto/pauses");
  if (!answer) {
    return answer.error().code == make_error_code(VerbErrc::no_route) ? ok()
                                                                      : Result<>(answer.error());
  }
  for (const json::value& one : array_member(object_of(*answer), "pauses")) {
    const json::object& pause = object_of(one);
    if (text_member(pause, "kind") == "target") add_pause_of(targets, pause);
  }
  return ok();
}

Result<Targets> read_targets(Server& server) {
  Targets targets;
  Selection unfinished_ones;
  unfinished_ones.status = "unfinished";
  CONCERTO_TRY(const Server::Query query, query_of(unfinished_ones));
  CONCERTO_TRY(const json::value counts, count_groups(server, query, "target"));
  add_waiting(targets.each, counts);
  targets.is_complete = !is_partial(object_of(counts));
  // Who may see lists may be refused the metrics (the key Auth.Metrics).
  const auto metrics = server.get_text("/metrics");
  if (metrics) {
    add_calls(targets.each, MetricsText::parse(*metrics));
    targets.knows_calls = true;
  } else if (metrics.error().code == make_error_code(VerbErrc::unreachable)) {
    return metrics.error();
  }
  CONCERTO_CHECK(add_pauses(targets.each, server));
  return targets;
}

json::value document_of(const Targets& targets) {
  json::array list;
  const auto of_calls = [&targets](double count) -> json::value {
    if (!targets.knows_calls) return nullptr;
    return static_cast<std::uint64_t>(count);
  };
  for (const auto& [name, target] : targets.each) {
    json::object one{{"target", name},
                     {"waiting", target.waiting ? json::value(*target.waiting) : nullptr},
                     {"calls", of_calls(target.calls)},
                     {"errors", of_calls(target.errors)},
                     {"paused", !target.paused.empty()}};
    if (!target.oldest.empty()) one["oldest"] = target.oldest;
    if (!target.paused.empty()) one["pause"] = target.paused;
    list.push_back(std::move(one));
  }
  return list;
}

void print_targets(const Targets& targets, WallTime now) {
  std::vector<std::pair<std::string, TargetState>> sorted(targets.each.begin(), targets.each.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
    return left.second.waiting > right.second.waiting;
  });
  Table table({{"TARGET", false, true},
               {"WAITING", true, false},
               {"OLDEST", true, false},
               {"CALLS", true, false},
               {"ERRORS", true, false},
               {"PAUSED", false, true}});
  for (const auto& [name, target] : sorted) {
    const auto oldest = read_time(target.oldest);
    const auto age = oldest ? std::chrono::duration_cast<std::chrono::seconds>(now - *oldest)
                            : std::chrono::seconds{0};
    const auto of_calls = [&targets](double count) {
      return targets.knows_calls ? std::to_string(static_cast<std::uint64_t>(count))
                                 : std::string();
    };
    const Colour colour = target.waiting.value_or(0) > 0 ? Colour::yellow : Colour::none;
    table.add({name,
               {target.waiting ? std::to_string(*target.waiting) : std::string(), colour},
               oldest ? duration_text(age) : std::string(),
               of_calls(target.calls),
               of_calls(target.errors),
               target.paused});
  }
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << (targets.knows_calls ? "no target was called, and nothing waits for one"
                                      : "nothing waits for a target")
              << std::endl;
  }
  if (!targets.is_complete) std::cerr << "these are not all targets" << std::endl;
}

int targets_verb(const TargetsOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto targets = read_targets(**server);
  if (!targets) return tell(targets.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, document_of(*targets));
  } else {
    print_targets(*targets, (*server)->now());
  }
  return 0;
}

}  // namespace

std::function<int()> add_targets(CLI::App& app) {
  auto options = std::make_shared<TargetsOptions>();
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "WAITING counts the unfinished transactions that are at this service. CALLS and ERRORS are\n"
      "those of the coordinator that answers, since its start, and - (null in JSON) if its\n"
      "metrics may not be read. A pause that fits no service which is shown has a row of its own.");
  return [options] { return targets_verb(*options); };
}

}  // namespace concerto::tools
