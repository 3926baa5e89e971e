// concerto targets: what waits for which service

#include <iostream>
#include <map>
#include <memory>
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
  std::uint64_t waiting = 0;
  std::string oldest;
  double calls = 0, errors = 0;
  std::string paused;  ///< whether whole or in part, and why; empty if it is not
};
using Targets = std::map<std::string, TargetState>;

void add_waiting(Targets& targets, const json::value& counts) {
  for (const json::value& one : array_member(object_of(counts), "groups")) {
    const json::object& group = object_of(one);
    const std::string value = text_member(group, "value");
    if (value.empty() || value == no_value) continue;
    TargetState& target = targets[target_of(value)];
    target.waiting += count_member(group, "count");
    const std::string oldest = text_member(group, "oldest");
    if (target.oldest.empty() || read_time(oldest) < read_time(target.oldest)) {
      target.oldest = oldest;
    }
  }
}

void add_calls(Targets& targets, const MetricsText& metrics) {
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
void add_pause_of(Targets& targets, const json::object& pause) {
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
  target.waiting = count_member(pause, "waiting");
  mark(target, "yes");
}

/// Pauses are shown if the coordinator knows them.
Result<> add_pauses(Targets& targets, Server& server) {
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
  add_waiting(targets, counts);
  // Who may see lists may be refused the metrics (the key Auth.Metrics).
  const auto metrics = server.get_text("/metrics");
  if (metrics) {
    add_calls(targets, MetricsText::parse(*metrics));
  } else if (metrics.error().code == make_error_code(VerbErrc::unreachable)) {
    return metrics.error();
  }
  CONCERTO_CHECK(add_pauses(targets, server));
  return targets;
}

json::value document_of(const Targets& targets) {
  json::array list;
  for (const auto& [name, target] : targets) {
    json::object one{{"target", name},
                     {"waiting", target.waiting},
                     {"calls", static_cast<std::uint64_t>(target.calls)},
                     {"errors", static_cast<std::uint64_t>(target.errors)},
                     {"paused", !target.paused.empty()}};
    if (!target.oldest.empty()) one["oldest"] = target.oldest;
    if (!target.paused.empty()) one["pause"] = target.paused;
    list.push_back(std::move(one));
  }
  return list;
}

void print_targets(const Targets& targets, WallTime now) {
  std::vector<std::pair<std::string, TargetState>> sorted(targets.begin(), targets.end());
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
    const Colour colour = target.waiting > 0 ? Colour::yellow : Colour::none;
    table.add({name,
               {std::to_string(target.waiting), colour},
               oldest ? duration_text(age) : std::string(),
               std::to_string(static_cast<std::uint64_t>(target.calls)),
               std::to_string(static_cast<std::uint64_t>(target.errors)),
               target.paused});
  }
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << "no target was called, and nothing waits for one" << std::endl;
  }
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
      "those of the coordinator that answers, since its start. A pause that fits no service which "
      "is\nshown has a row of its own.");
  return [options] { return targets_verb(*options); };
}

}  // namespace concerto::tools
