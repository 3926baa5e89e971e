// concerto backup of a coordinator that runs, and concerto begin.

#include "backup_online.hpp"

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>

#include "json_members.hpp"
#include "progress.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr const char* backup_path = "/api/concerto/backup";
constexpr std::chrono::milliseconds look_pause{200};

/// Asks until no backup named `name` is being made.
Result<json::value> ended_backup(Server& server, const std::string& name) {
  Progress progress(std::cerr, ::isatty(STDERR_FILENO) != 0, server.clock());
  std::size_t shown = 0;
  bool begun = false;
  for (;;) {
    CONCERTO_TRY(json::value answer, server.get(backup_path));
    const json::object& state = object_of(answer);
    if (text_member(state, "name") != name || text_member(state, "state") != "running") {
      progress.interrupt();
      return answer;
    }
    const auto total = static_cast<std::size_t>(count_member(state, "groupsTotal"));
    if (total > 0 && !std::exchange(begun, true)) progress.begin("groups copied", total);
    const auto done = static_cast<std::size_t>(count_member(state, "groupsDone"));
    if (begun && done > shown) progress.advance(done - std::exchange(shown, done));
    std::this_thread::sleep_for(look_pause);
  }
}

/// What is to be said of the backup `name` at its end.
Result<std::string> told(const json::object& state, const std::string& name) {
  if (text_member(state, "name") == name && text_member(state, "state") == "failed") {
    return make_error(VerbErrc::failed,
                      "the backup '" + name + "' failed: " + text_member(state, "error"));
  }
  for (const json::value& one : array_member(state, "backups")) {
    const json::object& backup = object_of(one);
    if (text_member(backup, "name") != name) continue;
    const std::string base = text_member(backup, "base");
    return name + ": up to group " + std::to_string(count_member(backup, "lastGroup")) + ", " +
           std::to_string(count_member(backup, "bytes")) + " bytes" +
           (base.empty() ? "; a full backup" : "; builds on " + base);
  }
  return make_error(VerbErrc::failed,
                    "the backup '" + name + "' is not there; the coordinator's log says why");
}

struct BeginOptions {
  ServerOptions server;
  std::string reason;
};

int begin(const BeginOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto answer = (*server)->change("POST", "/api/concerto/begin", {}, options.reason);
  if (!answer) return tell(answer.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *answer);
    return 0;
  }
  const json::value* paused = object_of(*answer).if_contains("wasPaused");
  const bool was_paused = paused != nullptr && paused->is_bool() && paused->as_bool();
  std::cout << (was_paused ? "the coordinator works now" : "the coordinator was not paused")
            << std::endl;
  return 0;
}

}  // namespace

int backup_of_coordinator(const OnlineBackup& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  json::object body;
  if (!options.name.empty()) body["name"] = options.name;
  if (!options.base.empty() && options.base != "latest") body["base"] = options.base;
  if (options.full) body["full"] = true;
  if (options.verify_base) body["verify"] = true;
  if (!options.reason.empty()) body["reason"] = options.reason;
  const auto begun = (*server)->post(backup_path, body, options.reason);
  if (!begun) return tell(begun.error());
  const std::string name = text_member(object_of(*begun), "name");
  const auto state = ended_backup(**server, name);
  if (!state) {
    tell(state.error());
    std::cerr << "the backup '" << visible_line(name)
              << "' was begun; whether it has ended is not known" << std::endl;
    return exit_failed;
  }
  const auto text = told(object_of(*state), name);
  if (!text) return tell(text.error());
  const std::string note = text_member(object_of(*state), "note");
  if (text_member(object_of(*state), "name") == name && !note.empty()) {
    std::cerr << visible_line(note) << std::endl;
  }
  std::cout << *text << std::endl;
  return 0;
}

std::function<int()> add_begin(CLI::App& app) {
  auto options = std::make_shared<BeginOptions>();
  app.add_option("--reason", options->reason, "Why, for the audit log")->type_name("TEXT");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  return [options] { return begin(*options); };
}

}  // namespace concerto::tools
