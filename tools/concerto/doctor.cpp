// concerto doctor: whether a coordinator can be used, and what is wrong with it

#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/transport/url.hpp>

#include "coordinator_answers.hpp"
#include "group_counts.hpp"
#include "load_reading.hpp"
#include "metrics_text.hpp"
#include "peer_certificate.hpp"
#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::chrono::seconds clock_difference_max{5};
constexpr std::string_view damage_look = "concerto list --damaged";
constexpr std::chrono::hours certificate_soon{24 * 30};

struct DoctorOptions {
  ServerOptions server;
  bool may_act = false;
};

/// Looks at one coordinator, and remembers what it finds.
class Doctor {
 public:
  Doctor(Server& server, bool may_act) : server_(server), may_act_(may_act) {}

  /// The exit code.
  int look() {
    look_at_place();
    if (!look_at_reach()) return exit_unreachable;
    look_at_version();
    look_at_clock();
    look_at_readiness();
    look_at_role();
    look_at_certificate();
    look_at_stuck_ones();
    look_at_damage();
    return has_error_ ? exit_failed : 0;
  }

  void show(Form form) const {
    if (form != Form::table) {
      write_document(std::cout, form, json::value(findings_));
      return;
    }
    Table table({{"CHECK", false, false}, {"STATE", false, false}, {"FINDING", false, true}});
    for (const json::value& one : findings_) {
      const json::object& finding = object_of(one);
      const std::string state = text_member(finding, "state");
      table.add({text_member(finding, "check"),
                 {state, colour_of_status(state)},
                 text_member(finding, "finding")});
    }
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  }

 private:
  void note(const char* check, const char* state, std::string finding) {
    has_error_ = has_error_ || std::string_view(state) == "error";
    findings_.push_back(
        json::object{{"check", check}, {"state", state}, {"finding", visible_line(finding)}});
  }

  void look_at_place() {
    const ServerPlace& place = server_.place();
    std::string text = place.url;
    if (!place.context.empty()) text += ", context " + place.context;
    text += place.token.empty() ? ", no token" : ", the token of " + place.token_source;
    const auto url = net::parse_url(place.url);
    const bool is_here =
        url && (url->host == "localhost" || url->host == "::1" || url->host.substr(0, 4) == "127.");
    if (!place.token.empty() && url && !url->is_https && !is_here) {
      note("settings", "warning", text + ": it is sent without TLS, for everybody on the way");
    } else {
      note("settings", "ok", text);
    }
  }

  bool look_at_reach() {
    const SteadyTime begin = server_.clock().steady_now();
    const auto answer = server_.send("GET", "/api/ping");
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(server_.clock().steady_now() - begin);
    if (!answer) {
      note("reach", "error", answer.error().detail);
      return false;
    }
    if (answer->status != 200) {
      note("reach", "error",
           "/api/ping is answered with HTTP " + std::to_string(answer->status) + "; " +
               server_.place().url + " is no coordinator");
      return false;
    }
    if (const auto known = server_.check_is_coordinator(); !known) {
      note("reach", "error", known.error().detail);
      return false;
    }
    note("reach", "ok", "answers after " + std::to_string(took.count()) + " ms");
    return true;
  }

  void look_at_version() {
    const auto answer = server_.get(version_path);
    if (!answer) {
      note("version", is_about_rights(answer.error()) ? "skipped" : "error", answer.error().detail);
      return;
    }
    const std::string theirs = text_member(object_of(*answer), "version");
    const std::string own = "v" CONCERTO_VERSION;
    if (theirs == own) {
      note("version", "ok", theirs);
    } else {
      note("version", "warning", theirs + ", and this program is " + own);
    }
  }

  void look_at_clock() {
    const auto difference = server_.now() - server_.clock().wall_now();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(difference);
    const bool is_small = seconds <= clock_difference_max && seconds >= -clock_difference_max;
    const std::string how = std::to_string(seconds.count()) + " s";
    if (is_small) {
      note("clock", "ok",
           "the clocks differ by less than " + std::to_string(clock_difference_max.count()) + " s");
    } else {
      note("clock", "warning", "the coordinator's clock differs from this machine's by " + how);
    }
  }

  void look_at_readiness() {
    const auto answer = server_.send("GET", "/readyz");
    if (!answer) return note("ready", "error", answer.error().detail);
    error_code failed;
    const json::value parsed = json::parse(answer->body, failed);
    const json::object& told = object_of(parsed);
    const std::size_t before = findings_.size();
    const bool is_paused = told.contains("paused");
    if (is_paused) note("ready", "error", paused_text);
    const json::array& reasons = array_member(told, "reasons");
    // The pause is one of the reasons; if it is the only one, all is said.
    if (answer->status == 200) {
      note("ready", "ok", "takes requests");
    } else if (reasons.empty() && !is_paused) {
      note("ready", "error", why_not_ready(*answer, told));
    } else if (!is_paused || reasons.size() > 1) {
      note_each("error", reasons);
    }
    note_each("warning", array_member(told, "warnings"));
    // For programs: all that was said.
    for (std::size_t i = before; i < findings_.size() && !told.empty(); ++i) {
      findings_[i].get_object()["answer"] = told;
    }
  }

  /// An answer without reasons: of an older coordinator, or of something in front of this one.
  static std::string why_not_ready(const net::HttpClientResponse& answer,
                                   const json::object& told) {
    const std::string http = "HTTP " + std::to_string(answer.status);
    const std::string status = text_member(told, "status");
    if (told.contains("message") || told.empty()) return error_of(answer).detail;
    return http + (status.empty() ? ", and no reason is said" : ": " + status);
  }

  /// Operators' warnings of /readyz count the damaged records, which have a finding of their own.
  static bool is_about_damage(const json::value& text) {
    return text.is_string() && std::string_view(text.get_string()).ends_with(damage_look);
  }

  void note_each(const char* state, const json::array& texts) {
    for (const json::value& text : texts) {
      if (is_about_damage(text)) continue;
      note("ready", state,
           text.is_string() ? std::string(text.get_string()) : json::serialize(text));
    }
  }

  static bool is_about_rights(const Error& error) {
    return error.code == make_error_code(VerbErrc::refused);
  }

  void look_at_role() {
    const auto list = server_.get("/api/dtmsvr/all", {{"limit", "1"}});
    if (!list) {
      is_viewer_ = false;
      return note("role", "error", "lists cannot be read: " + list.error().detail);
    }
    if (!may_act_)
      return note("role", "ok", "may read (--may-act also tries an operator's request)");
    // A transaction that nobody has: an operator is told so, and others are refused.
    const std::string nobody =
        "concerto-doctor-" + std::to_string(server_.clock().wall_now().time_since_epoch().count());
    const auto answer = server_.send("POST", "/api/dtmsvr/resetNextCronTime", {},
                                     R"({"gid":")" + nobody + R"("})", "concerto doctor");
    if (!answer) return note("role", "error", answer.error().detail);
    if (answer->status == 401 || answer->status == 403) {
      return note("role", "warning", "may read, and may not act: " + error_of(*answer).detail);
    }
    if (answer->status == 503) {
      return note("role", "error", "may act, and nothing is done: " + error_of(*answer).detail);
    }
    note("role", "ok", "may read and act");
  }

  /// The certificates of the connection first: metrics may be refused, and a proxy in front of the
  /// coordinator has one of its own.
  void look_at_certificate() {
    const PeerCertificate* const seen = server_.certificates();
    const auto shown = seen != nullptr ? seen->shown() : std::nullopt;
    if (shown) note_end("the one that it shows", *shown);
    const auto own = seen != nullptr ? seen->own() : std::nullopt;
    if (own) note_end("the caller's own", *own);
    const auto page = server_.get_text("/metrics");
    if (!page) {
      if (!shown) note("certificate", "skipped", "no metrics: " + page.error().detail);
      return;
    }
    const MetricsText metrics = MetricsText::parse(*page);
    const auto& ends = metrics.samples("concerto_tls_certificate_expiry_timestamp_seconds");
    if (ends.empty() && !shown) note("certificate", "ok", "no TLS");
    for (const auto& sample : ends) {
      const auto use = sample.labels.find("use");
      note_end(use == sample.labels.end() ? "it" : "that for " + use->second,
               WallTime(std::chrono::duration_cast<WallTime::duration>(
                   std::chrono::duration<double>(sample.value))));
    }
  }

  void note_end(const std::string& whose, WallTime end) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(end - server_.now());
    if (left.count() <= 0) {
      note("certificate", "error", whose + " is over");
    } else {
      note("certificate", left < certificate_soon ? "warning" : "ok",
           whose + " is valid for " + duration_text(left));
    }
  }

  void look_at_stuck_ones() {
    if (!is_viewer_) return note("stuck", "skipped", "lists cannot be read");
    Selection stuck;
    stuck.stuck = true;
    const auto query = query_of(stuck);
    const auto counts = query ? count_groups(server_, *query, "status") : query.error();
    if (!counts) return note("stuck", "error", counts.error().detail);
    const std::uint64_t total = count_member(object_of(*counts), "total");
    if (total == 0) return note("stuck", "ok", "no transaction is unfinished after a minute");
    note("stuck", "warning",
         counted(total, "transaction") +
             " unfinished after a minute; look with: concerto list --stuck");
  }

  void look_at_damage() {
    const auto answer = server_.get("/api/concerto/damaged", {{"limit", "1"}});
    if (!answer) {
      const bool is_older = answer.error().code == make_error_code(VerbErrc::no_route);
      const bool is_skipped = is_older || is_about_rights(answer.error());
      return note("damage", is_skipped ? "skipped" : "error", answer.error().detail);
    }
    const std::uint64_t total = count_member(object_of(*answer), "total");
    if (total == 0) return note("damage", "ok", "this coordinator has met no damaged record");
    note("damage", "warning",
         counted(total, "damaged record") +
             ", on which nobody works; look with: " + std::string(damage_look));
  }

  Server& server_;
  const bool may_act_;
  bool has_error_ = false;
  bool is_viewer_ = true;
  json::array findings_;
};

int doctor(const DoctorOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  Doctor doctor(**server, options.may_act);
  const int code = doctor.look();
  doctor.show(options.server.form);
  return code;
}

}  // namespace

std::function<int()> add_doctor(CLI::App& app) {
  auto options = std::make_shared<DoctorOptions>();
  app.add_flag("--may-act", options->may_act,
               "Also try whether the caller may act; the audit log has the attempt");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "The exit code is 0 without errors (there may be warnings), 1 with some, and 5 if\n"
      "the coordinator is not reached, or something else answers.");
  return [options] { return doctor(*options); };
}

}  // namespace concerto::tools
