// concerto edit <gid>: another URL or payload for a branch of a transaction that waits

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include <concerto/base/base64.hpp>
#include <concerto/base/utf8.hpp>

#include "json_members.hpp"
#include "named_row.hpp"
#include "server.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr const char* edit_path = "/api/concerto/edit";
constexpr std::size_t payload_bytes_max = std::size_t{4} << 20;

struct EditOptions {
  ServerOptions server;
  std::string gid, branch, op, url, payload_file, reason;
  bool dry_run = false;
};

Result<std::string> read_payload(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& from = path == "-" ? std::cin : file;
  std::string payload(payload_bytes_max + 1, '\0');
  if (from) from.read(payload.data(), static_cast<std::streamsize>(payload.size()));
  if (from.bad() || (path != "-" && !file.is_open())) {
    return make_error(VerbErrc::usage, "'" + path + "' cannot be read");
  }
  payload.resize(static_cast<std::size_t>(from.gcount()));
  if (payload.size() > payload_bytes_max) {
    return make_error(VerbErrc::usage, "'" + path + "' has more than 4 MiB");
  }
  return payload;
}

/// Older coordinators tell less.
void show_edit(const json::object& answer, bool is_preview) {
  if (answer.contains("urlBefore")) {
    const std::string before = text_member(answer, "urlBefore"), url = text_member(answer, "url");
    std::cout << "url      " << visible_line(before);
    if (url != before) std::cout << " -> " << visible_line(url);
    std::cout << "\npayload  " << count_member(answer, "payloadBytesBefore") << " bytes -> "
              << count_member(answer, "payloadBytes") << " bytes\n";
  }
  std::cout << (is_preview ? "it can be changed; nothing was" : "changed") << std::endl;
}

/// Asks which op of the branch is called next, and names it in the request.
Result<> name_row(Server& server, json::object& body, const std::string& reason) {
  json::object look = body;
  look["dryRun"] = true;
  CONCERTO_TRY(const json::value answer, server.post(edit_path, look, reason));
  CONCERTO_TRY(const NamedRow row, row_of_preview(object_of(answer)));
  body["branchId"] = row.branch;
  body["op"] = row.op;
  tell_row("edit", row);
  return ok();
}

int edit(const EditOptions& options) {
  if (options.url.empty() && options.payload_file.empty()) {
    return tell(make_error(VerbErrc::usage, "nothing to change: say --url or --payload-file"));
  }
  json::object body{{"gid", options.gid}, {"branchId", options.branch}, {"reason", options.reason}};
  if (!options.op.empty()) body["op"] = options.op;
  if (!options.url.empty()) body["url"] = options.url;
  if (options.dry_run) body["dryRun"] = true;
  if (!options.payload_file.empty()) {
    const auto payload = read_payload(options.payload_file);
    if (!payload) return tell(payload.error());
    if (payload->empty()) {  // as of a command in front of a pipe that failed
      return tell(make_error(VerbErrc::usage, "'" + options.payload_file + "' is empty"));
    }
    if (is_utf8(*payload)) {
      body["payload"] = *payload;
    } else {
      body["payloadBase64"] = base64_encode(*payload);
    }
  }
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  if (options.op.empty() && !options.dry_run) {
    const Result<> named = name_row(**server, body, options.reason);
    if (!named) return tell(named.error());
  }
  const auto answer = (*server)->post(edit_path, body, options.reason);
  if (!answer) return tell(answer.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *answer);
  } else {
    show_edit(object_of(*answer), options.dry_run);
  }
  return 0;
}

}  // namespace

std::function<int()> add_edit(CLI::App& app) {
  auto options = std::make_shared<EditOptions>();
  app.add_option("gid", options->gid, "The transaction")->type_name("GID")->required();
  app.add_option("branch", options->branch, "Its branch, as 01")->type_name("BRANCH")->required();
  app.add_option("--op", options->op,
                 "The operation, as action or compensate; by default the one that is called next")
      ->type_name("OP");
  app.add_option("--url", options->url, "The URL that is called from now on")->type_name("URL");
  app.add_option("--payload-file", options->payload_file,
                 "File with what is sent from now on; - is stdin")
      ->type_name("FILE");
  app.add_option("--reason", options->reason, "Why, for the audit log")
      ->type_name("TEXT")
      ->required();
  app.add_flag("--dry-run", options->dry_run, "Say whether it can be changed, and change nothing");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer("At least one of --url and --payload-file is needed.");
  return [options] { return edit(*options); };
}

}  // namespace concerto::tools
