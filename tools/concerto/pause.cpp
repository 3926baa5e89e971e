// concerto pause, concerto resume: a target, a topic or a mode that is not called for a while

#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>

#include "json_members.hpp"
#include "server.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct PauseOptions {
  ServerOptions server;
  std::string kind, value, reason;
  bool dry_run = false;
};

void print_pauses(const json::array& pauses) {
  Table table({{"KIND", false, false},
               {"VALUE", false, false},
               {"WAITING", true, false},
               {"SINCE", false, false},
               {"CALLER", false, true},
               {"REASON", false, true}});
  for (const json::value& one : pauses) {
    const json::object& pause = object_of(one);
    table.add({text_member(pause, "kind"), text_member(pause, "value"),
               pause.contains("waiting") ? std::to_string(count_member(pause, "waiting")) : "",
               to_the_second(text_member(pause, "since")), text_member(pause, "caller"),
               text_member(pause, "reason")});
  }
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << "nothing is paused" << std::endl;
  }
}

int list_pauses(const PauseOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto answer = (*server)->get("/api/concerto/pauses");
  if (!answer) return tell(answer.error());
  const json::array& pauses = array_member(object_of(*answer), "pauses");
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, json::value(pauses));
  } else {
    print_pauses(pauses);
  }
  return 0;
}

int change_pause(const char* action, const PauseOptions& options) {
  if (options.kind.empty() != options.value.empty()) {
    return tell(make_error(VerbErrc::usage, "what is it? Say its kind and its name"));
  }
  if (options.kind.empty()) return list_pauses(options);
  json::object body{{"kind", options.kind}, {"value", options.value}, {"reason", options.reason}};
  if (options.dry_run) body["dryRun"] = true;
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto answer = (*server)->post(std::string("/api/concerto/") + action, body, options.reason);
  if (!answer) return tell(answer.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *answer);
    return 0;
  }
  const json::object& told = object_of(*answer);
  const bool is_pause = told.contains("kind");
  if (is_pause) {
    json::array one;
    one.push_back(*answer);
    print_pauses(one);
  } else {
    std::cout << options.kind << ' ' << visible_line(options.value) << " goes on" << std::endl;
  }
  if (told.contains("id")) {
    std::cerr << "job " << visible_line(text_member(told, "id"))
              << " tries now what was held up: concerto jobs" << std::endl;
  }
  if (options.dry_run && is_partial(told)) std::cerr << "there may be more" << std::endl;
  if (options.dry_run) std::cerr << "nothing was changed" << std::endl;
  return 0;
}

std::function<int()> add_change(CLI::App& app, const char* action) {
  auto options = std::make_shared<PauseOptions>();
  app.add_option("kind", options->kind, "What it is; without it, what is paused is shown")
      ->type_name("")
      ->check(CLI::IsMember({"target", "topic", "mode"}));
  app.add_option("value", options->value, "Its name, as http://stock.b.org")->type_name("VALUE");
  app.add_option("--reason", options->reason, "Why, for the audit log")->type_name("TEXT");
  app.add_flag("--dry-run", options->dry_run, "Show what would be done, and change nothing");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  return [options, action] { return change_pause(action, *options); };
}

}  // namespace

std::function<int()> add_pause(CLI::App& app) {
  return add_change(app, "pause");
}

std::function<int()> add_resume(CLI::App& app) {
  return add_change(app, "resume");
}

}  // namespace concerto::tools
