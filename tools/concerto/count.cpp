// concerto count

#include <iostream>
#include <map>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "group_counts.hpp"
#include "table.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct CountOptions {
  ServerOptions server;
  Selection selection;
  std::string by = "status";
};

int count(const CountOptions& options) {
  Selection selection = options.selection;
  if (selection.status.empty() && !selection.stuck) selection.status = "unfinished";
  const auto selected = query_of(selection);
  if (!selected) return tell(selected.error());
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto counts = count_groups(**server, *selected, options.by);
  if (!counts) return tell(counts.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *counts);
    return 0;
  }
  print_groups(*counts, options.by, (*server)->now());
  return 0;
}

}  // namespace

std::function<int()> add_count(CLI::App& app) {
  auto options = std::make_shared<CountOptions>();
  app.add_option("--by", options->by, "What the groups have in common")
      ->type_name("")
      ->default_str("status")
      ->check(CLI::IsMember({"status", "mode", "target", "last-error", "topic", "owner", "age"}))
      ->group("Output");
  add_selection_options(app, options->selection);
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "Without --status it counts what is unfinished. By topic, (none) has what goes to no\n"
      "subscriber of a topic.\n"
      "A coordinator of an older version does not count itself; then the list is read and counted\n"
      "here, which knows no topics and owners.");
  return [options] { return count(*options); };
}

}  // namespace concerto::tools
