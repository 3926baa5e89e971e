// concerto audit

#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "json_members.hpp"
#include "server.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t records_per_page = 1'000;

struct AuditOptions {
  ServerOptions server;
  std::string gid, caller, action;
  std::size_t limit = 50;
};

Result<json::array> read_records(Server& server, const AuditOptions& options) {
  json::array records;
  std::string position;
  while (records.size() < options.limit) {
    Server::Query query{
        {"limit", std::to_string(std::min(options.limit - records.size(), records_per_page))}};
    const auto add = [&query](const char* name, const std::string& value) {
      if (!value.empty()) query.emplace_back(name, value);
    };
    add("gid", options.gid);
    add("caller", options.caller);
    add("action", options.action);
    add("position", position);
    CONCERTO_TRY(const json::value page, server.get("/api/concerto/audit", query));
    const json::object& answer = object_of(page);
    if (answer.contains("kept") && !true_member(answer, "kept")) {
      return make_error(VerbErrc::refused,
                        "the coordinator keeps no audit log (its key Audit.File is not set)");
    }
    for (const json::value& record : array_member(answer, "records")) records.push_back(record);
    std::string next = text_member(answer, "next_position");
    if (next.empty() || next == position) break;
    position = std::move(next);
  }
  return records;
}

/// What an action was about. Of several transactions the one that is asked for.
std::string object_of_action(const json::object& record, const std::string& wanted_gid) {
  for (const char* const name : {"gid", "topic"}) {
    std::string text = text_member(record, name);
    if (!text.empty()) return text;
  }
  const std::size_t gids = array_member(record, "gids").size();
  if (gids == 0 || wanted_gid.empty()) return text_member(record, "details");
  return gids == 1 ? wanted_gid : wanted_gid + " and " + std::to_string(gids - 1) + " more";
}

/// Nobody should take it for proof that nothing was done.
void tell_none(const AuditOptions& options) {
  std::cerr << "no record at this coordinator; each coordinator of a cluster has an audit log of "
               "its own\n";
  if (options.gid.empty()) return;
  std::cerr << "an action on a selection has a record without gids: look for it without --gid"
            << std::endl;
}

int audit(const AuditOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto records = read_records(**server, options);
  if (!records) return tell(records.error());
  if (records->empty()) tell_none(options);
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, json::value(*records));
    return 0;
  }
  Table table({{"TIME", false, false},
               {"EVENT", false, false},
               {"ACTION", false, false},
               {"WHAT", false, true},
               {"WHO", false, true},
               {"REASON", false, true},
               {"RESULT", false, true}});
  for (const json::value& one : *records) {
    const json::object& record = object_of(one);
    const std::string event = text_member(record, "event");
    const auto either = [&record](const char* first, const char* second) {
      const std::string text = text_member(record, first);
      return text.empty() ? text_member(record, second) : text;
    };
    table.add({to_the_second(text_member(record, "ts")),
               {event, colour_of_status(event)},
               text_member(record, "action"),
               object_of_action(record, options.gid),
               either("caller", "from"),
               text_member(record, "reason"),
               text_member(record, "result")});
  }
  if (table.size() > 0) table.print(std::cout, Terminal::of(STDOUT_FILENO));
  return 0;
}

}  // namespace

std::function<int()> add_audit(CLI::App& app) {
  auto options = std::make_shared<AuditOptions>();
  app.add_option("--gid", options->gid,
                 "About this transaction, alone or among others that the action named")
      ->type_name("GID");
  app.add_option("--caller", options->caller, "By this caller")->type_name("NAME");
  app.add_option("--action", options->action, "Of this action, as forceStop")->type_name("ACTION");
  app.add_option("--limit", options->limit, "How many are shown at most, the newest first")
      ->type_name("COUNT")
      ->default_str("50")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}).description(""));
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "Each coordinator of a cluster has an audit log of its own: ask each of them. The record of\n"
      "an action on a selection (retry --target ..) has the selection and the job, and no gids:\n"
      "--gid does not find it.");
  return [options] { return audit(*options); };
}

}  // namespace concerto::tools
