// concerto jobs, and the jobs that bulk actions begin

#include "jobs.hpp"

#include <iostream>
#include <memory>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>

#include "progress.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view jobs_path = "/api/concerto/jobs";
constexpr std::chrono::milliseconds first_pause{100}, longest_pause{1'000};
/// A coordinator that restarts answers again within this time.
constexpr std::chrono::seconds away_max{60};

struct JobsOptions {
  ServerOptions server;
  std::string id;
  std::string reason;
  std::size_t limit = 20;
  bool cancel = false;
  bool wait = false;
};

Table jobs_table() {
  return Table({{"ID", false, false},
                {"ACTION", false, false},
                {"STATE", false, false},
                {"DONE", true, false},
                {"FAILED", true, false},
                {"CREATED", false, false},
                {"CALLER", false, true},
                {"REASON", false, true}});
}

void add_job(Table& table, const json::object& job) {
  const std::string state = text_member(job, "state");
  table.add({text_member(job, "id"),
             text_member(job, "action"),
             {state, colour_of_status(state)},
             std::to_string(count_member(job, "done")),
             std::to_string(count_member(job, "failed")),
             to_the_second(text_member(job, "created")),
             text_member(job, "caller"),
             text_member(job, "reason")});
}

Result<json::object> find_job(Server& server, const std::string& id) {
  CONCERTO_TRY(const json::value answer, server.get(jobs_path, {{"id", id}}));
  const json::array& jobs = array_member(object_of(answer), "jobs");
  if (jobs.empty()) return make_error(VerbErrc::not_found, "there is no job '" + id + "'");
  return object_of(jobs.front());
}

int exit_code_of_job(const json::object& job) {
  const std::string state = text_member(job, "state");
  if (state == "done") {
    if (count_member(job, "failed") == 0) return 0;
    return count_member(job, "done") == 0 ? exit_failed : exit_partly;
  }
  return count_member(job, "done") == 0 ? exit_failed : exit_partly;
}

int show_jobs(const JobsOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const auto answer = (*server)->get(jobs_path, {{"limit", std::to_string(options.limit)}});
  if (!answer) return tell(answer.error());
  const json::array& jobs = array_member(object_of(*answer), "jobs");
  if (options.server.form != Form::table) {
    write_document(std::cout, options.server.form, json::value(jobs));
    return 0;
  }
  Table table = jobs_table();
  for (const json::value& job : jobs) add_job(table, object_of(job));
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << "no job" << std::endl;
  }
  for (const json::value& one : jobs) {
    const json::object& job = object_of(one);
    const std::string trouble = text_member(job, "trouble");
    if (trouble.empty()) continue;
    std::cerr << visible_line(text_member(job, "id") + ": " + trouble) << std::endl;
  }
  return 0;
}

int one_job(const JobsOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  if (options.cancel) {
    const auto job = (*server)->post("/api/concerto/cancelJob",
                                     json::object{{"id", options.id}, {"reason", options.reason}});
    if (!job) return tell(job.error());
    show_job(object_of(*job), options.server.form);
    return 0;
  }
  const auto job = find_job(**server, options.id);
  if (!job) return tell(job.error());
  if (options.wait) return follow_job(**server, *job, 0, options.server.form);
  show_job(*job, options.server.form);
  return 0;
}

}  // namespace

void tell_errors(const json::object& of) {
  for (const json::value& one : array_member(of, "errors")) {
    const json::object& error = object_of(one);
    std::cerr << visible_line(text_member(error, "gid") + ": " + text_member(error, "error"))
              << std::endl;
  }
}

void show_job(const json::object& job, Form form) {
  if (form != Form::table) {
    write_document(std::cout, form, json::value(job));
    return;
  }
  Table table = jobs_table();
  add_job(table, job);
  table.print(std::cout, Terminal::of(STDOUT_FILENO));
  tell_errors(job);
  const std::string trouble = text_member(job, "trouble");
  if (!trouble.empty()) std::cerr << visible_line(trouble) << std::endl;
}

int follow_job(Server& server, const json::object& begun, std::uint64_t expected, Form form) {
  const std::string id = text_member(begun, "id");
  const bool shows = ::isatty(STDERR_FILENO) != 0;
  Progress progress(std::cerr, shows, server.clock());
  if (shows) progress.begin(text_member(begun, "action"), expected);
  json::object job = begun;
  std::uint64_t shown = 0;
  std::string told;  // why it waits, which is said when it changes
  std::chrono::milliseconds pause = first_pause;
  SteadyTime seen = server.clock().steady_now();
  for (;;) {
    const std::uint64_t now = count_member(job, "done") + count_member(job, "failed");
    if (shows && now > shown) progress.advance(now - shown);
    shown = std::max(shown, now);
    if (text_member(job, "state") != "running") break;
    if (std::string trouble = text_member(job, "trouble"); trouble != told) {
      if (shows) progress.interrupt();
      if (!trouble.empty()) std::cerr << visible_line(trouble) << std::endl;
      told = std::move(trouble);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, longest_pause);
    auto next = find_job(server, id);
    if (next) {
      job = std::move(*next);
      seen = server.clock().steady_now();
    } else if (next.error().code != make_error_code(VerbErrc::unreachable) ||
               server.clock().steady_now() - seen > away_max) {
      if (shows) progress.interrupt();
      std::cerr << "the job goes on without this program; look with: concerto jobs "
                << visible_line(id) << std::endl;
      tell(next.error());
      return exit_failed;  // It goes on, or has ended: nobody knows here.
    }
  }
  if (shows) progress.end();
  show_job(job, form);
  return exit_code_of_job(job);
}

std::function<int()> add_jobs(CLI::App& app) {
  auto options = std::make_shared<JobsOptions>();
  CLI::Option* const id =
      app.add_option("id", options->id, "One job; without it, the newest jobs are shown")
          ->type_name("ID");
  CLI::Option* const reason =
      app.add_option("--reason", options->reason, "Why, for the audit log")->type_name("TEXT");
  app.add_flag("--cancel", options->cancel, "End the job; what is done stays done")
      ->needs(id)
      ->needs(reason);
  app.add_flag("--wait", options->wait, "Wait until the job ends")->needs(id);
  app.add_option("--limit", options->limit, "How many are shown at most")
      ->type_name("COUNT")
      ->default_str("20")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000}).description(""));
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  return [options] { return options->id.empty() ? show_jobs(*options) : one_job(*options); };
}

}  // namespace concerto::tools
