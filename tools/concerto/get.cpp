// concerto get <gid>, concerto why <gid>

#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/base64.hpp>
#include <concerto/base/utf8.hpp>

#include "selection.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t hex_row_bytes = 16;

struct GetOptions {
  ServerOptions server;
  std::string gid;
  std::string payloads = "none";
};

/// The members of an object, one a line, but for those that have a place of their own.
void print_members(const json::object& of, const Terminal& terminal) {
  for (const auto& [name, value] : of) {
    if (value.is_structured()) continue;
    const std::string text = text_member(of, name);
    if (text.empty() && !value.is_bool()) continue;
    const std::string_view key = name;
    if (key == "concurrent" || key == "id") continue;
    const std::string shown =
        key.size() > 5 && key.substr(key.size() - 5) == "_time" ? to_the_second(text) : text;
    const Colour colour = key == "status" ? colour_of_status(text) : Colour::none;
    std::cout << key << std::string(20 - std::min<std::size_t>(key.size(), 19), ' ')
              << coloured(visible_line(shown), colour, terminal.has_colour) << '\n';
  }
}

std::string hexadecimal_row(std::string_view bytes, std::size_t at) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string row = "    ";
  for (int shift = 28; shift >= 0; shift -= 4) row += digits[(at >> shift) & 15];
  row += "  ";
  for (std::size_t i = 0; i < hex_row_bytes; ++i) {
    if (i < bytes.size()) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      row.append({digits[byte >> 4], digits[byte & 15], ' '});
    } else {
      row += "   ";
    }
  }
  row += ' ';
  for (const char c : bytes) row += c >= ' ' && c <= '~' ? c : '.';
  return row;
}

void print_payload(const json::object& branch, const std::string& how) {
  const std::string encoded = text_member(branch, "bin_data");
  if (encoded.empty()) return;
  const std::string heading =
      "payload of branch " + text_member(branch, "branch_id") + " " + text_member(branch, "op");
  std::cout << '\n' << visible_line(heading) << '\n';
  const auto payload = base64_decode(encoded);
  if (!payload) {
    std::cout << "    (no base64)\n";
  } else if (how == "text") {
    std::cout << "    " << visible_line(*payload) << '\n';
  } else {
    for (std::size_t at = 0; at < payload->size(); at += hex_row_bytes) {
      std::cout << hexadecimal_row(std::string_view(*payload).substr(at, hex_row_bytes), at)
                << '\n';
    }
  }
}

void print_attempts(const json::object& why, const Terminal& terminal) {
  const json::array& attempts = array_member(why, "attempts");
  if (attempts.empty()) return;
  Table table({{"ATTEMPT", false, false},
               {"BRANCH", false, false},
               {"OP", false, false},
               {"RESULT", false, false},
               {"MS", true, false},
               {"URL", false, true},
               {"ANSWER", false, true}});
  for (const json::value& one : attempts) {
    const json::object& attempt = object_of(one);
    const std::string result = text_member(attempt, "result");
    std::string latency = text_member(attempt, "latency_ms");
    if (const json::value* const ms = attempt.if_contains("latency_ms"); ms && ms->is_double()) {
      latency = std::to_string(static_cast<std::uint64_t>(ms->get_double()));
    }
    table.add({to_the_second(text_member(attempt, "time")),
               text_member(attempt, "branch_id"),
               text_member(attempt, "op"),
               {result, colour_of_status(result)},
               latency,
               text_member(attempt, "url"),
               text_member(attempt, "answer")});
  }
  std::cout << '\n';
  table.print(std::cout, terminal);
}

void print_explanation(const json::object& why, const Terminal& terminal) {
  std::cout << '\n' << visible_line(text_member(why, "explanation")) << '\n';
  const std::string next = text_member(why, "next_attempt_time");
  if (!next.empty()) std::cout << "next attempt at " << to_the_second(next) << '\n';
  const std::string end = text_member(why, "end_time");
  if (!end.empty()) std::cout << "ended at " << to_the_second(end) << '\n';
  print_attempts(why, terminal);
}

void print_branches(const json::object& found, const Terminal& terminal) {
  const json::array& branches = array_member(found, "branches");
  if (branches.empty()) return;
  Table table({{"BRANCH", false, false},
               {"OP", false, false},
               {"STATUS", false, false},
               {"FINISHED", false, false},
               {"URL", false, true}});
  for (const json::value& one : branches) {
    const json::object& branch = object_of(one);
    const std::string status = text_member(branch, "status");
    table.add({text_member(branch, "branch_id"),
               text_member(branch, "op"),
               {status, colour_of_status(status)},
               to_the_second(text_member(branch, "finish_time")),
               text_member(branch, "url")});
  }
  std::cout << '\n';
  table.print(std::cout, terminal);
}

Error no_such_transaction(const std::string& gid) {
  return make_error(VerbErrc::not_found, "there is no transaction '" + gid + "'");
}

int get(const GetOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto found = (*server)->get("/api/dtmsvr/query", {{"gid", options.gid}});
  if (!found) return tell(found.error());
  const json::object& answer = object_of(*found);
  const json::object& transaction = object_member(answer, "transaction");
  if (transaction.empty()) return tell(no_such_transaction(options.gid));
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *found);
    return 0;
  }
  const Terminal terminal = Terminal::of(STDOUT_FILENO);
  print_members(transaction, terminal);
  print_branches(answer, terminal);
  print_explanation(object_member(answer, "why"), terminal);
  if (options.payloads != "none") {
    for (const json::value& branch : array_member(answer, "branches")) {
      print_payload(object_of(branch), options.payloads);
    }
  }
  std::cout << std::flush;
  return 0;
}

int why(const GetOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto found = (*server)->get("/api/concerto/why", {{"gid", options.gid}});
  if (!found) return tell(found.error());
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, *found);
    return 0;
  }
  const Terminal terminal = Terminal::of(STDOUT_FILENO);
  const json::object& answer = object_of(*found);
  const std::string status = text_member(answer, "status");
  std::cout << visible_line(text_member(answer, "gid")) << ": " << text_member(answer, "trans_type")
            << ", " << coloured(visible_line(status), colour_of_status(status), terminal.has_colour)
            << ", " << visible_line(text_member(answer, "state")) << '\n';
  print_explanation(answer, terminal);
  std::cout << std::flush;
  return 0;
}

void add_gid(CLI::App& app, std::string& gid) {
  app.add_option("gid", gid, "The transaction")->type_name("GID")->required();
}

}  // namespace

std::function<int()> add_get(CLI::App& app) {
  auto options = std::make_shared<GetOptions>();
  add_gid(app, options->gid);
  app.add_option("--payloads", options->payloads, "Show what the branches are sent")
      ->type_name("")
      ->default_str("none")
      ->check(CLI::IsMember({"none", "text", "hex"}))
      ->group("Output");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  return [options] { return get(*options); };
}

std::function<int()> add_why(CLI::App& app) {
  auto options = std::make_shared<GetOptions>();
  add_gid(app, options->gid);
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  return [options] { return why(*options); };
}

}  // namespace concerto::tools
