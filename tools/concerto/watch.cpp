// concerto watch <gid>

#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>

#include "selection.hpp"
#include "terminal.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct WatchOptions {
  ServerOptions server;
  std::string gid;
  double interval_s = 1;
  std::string at_most;  ///< a duration; empty: as long as it takes
};

/// What has to differ for another line.
struct Seen {
  std::string status, state, explanation;
  bool operator==(const Seen&) const = default;
};

std::string clock_text(WallTime time) {
  const auto of_day =
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()) % std::chrono::days{1};
  char text[48];
  const auto seconds = static_cast<int>(of_day.count());
  std::snprintf(text, sizeof text, "%02d:%02d:%02dZ", seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  return text;
}

class Watch {
 public:
  Watch(const WatchOptions& options, Server& server, std::optional<std::chrono::seconds> at_most)
      : options_(options), server_(server) {
    if (at_most) end_ = server.clock().steady_now() + *at_most;
  }

  int run() {
    for (;;) {
      const auto found = server_.get("/api/concerto/why", {{"gid", options_.gid}});
      if (found) {
        is_away_ = false;
        const json::object& why = object_of(*found);
        show(*found, {text_member(why, "status"), text_member(why, "state"),
                      text_member(why, "explanation")});
        if (seen_->state == "finished") return seen_->status == "succeed" ? 0 : exit_trans_failed;
      } else if (!note_away(found.error())) {
        return tell(found.error());
      }
      const SteadyTime now = server_.clock().steady_now();
      if (end_ && now >= *end_) {
        std::cerr << "the transaction has not ended" << std::endl;
        return exit_late;
      }
      const auto pause = std::chrono::duration_cast<SteadyTime::duration>(
          std::chrono::duration<double>(options_.interval_s));
      std::this_thread::sleep_until(end_ ? std::min(now + pause, *end_) : now + pause);
    }
  }

 private:
  /// A coordinator that was there before may come back. False: this error is the end.
  bool note_away(const Error& error) {
    if (!seen_ || error.code != make_error_code(VerbErrc::unreachable)) return false;
    if (!is_away_) std::cerr << visible_line(error.detail) << "; asked again" << std::endl;
    is_away_ = true;
    return true;
  }

  void show(const json::value& whole, Seen now) {
    if (seen_ && *seen_ == now) return;
    seen_ = std::move(now);
    if (options_.server.form == Form::json) {
      std::cout << json_line(whole) << std::endl;
    } else if (options_.server.form == Form::yaml) {
      std::cout << "---\n";
      write_document(std::cout, Form::yaml, whole);
    } else {
      std::cout << clock_text(server_.now()) << "  "
                << coloured(visible_line(seen_->status), colour_of_status(seen_->status),
                            terminal_.has_colour)
                << "  " << visible_line(seen_->state);
      if (seen_->explanation != seen_->status) {
        std::cout << "  " << visible_line(seen_->explanation);
      }
      std::cout << std::endl;
    }
  }

  const WatchOptions& options_;
  Server& server_;
  const Terminal terminal_ = Terminal::of(STDOUT_FILENO);
  std::optional<SteadyTime> end_;
  std::optional<Seen> seen_;
  bool is_away_ = false;
};

int watch(const WatchOptions& options) {
  std::optional<std::chrono::seconds> at_most;
  if (!options.at_most.empty()) {
    const auto duration = read_duration(options.at_most);
    if (!duration) return tell(make_error(VerbErrc::usage, "--for: " + duration.error().detail));
    at_most = *duration;
  }
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  return Watch(options, **server, at_most).run();
}

}  // namespace

std::function<int()> add_watch(CLI::App& app) {
  auto options = std::make_shared<WatchOptions>();
  app.add_option("gid", options->gid, "The transaction")->type_name("GID")->required();
  app.add_option("--interval", options->interval_s, "Seconds between two looks")
      ->type_name("SECONDS")
      ->default_str("1")
      ->check(CLI::Range(0.1, 3600.0).description(""));
  app.add_option("--for", options->at_most, "Stop after this time, as 30s or 5m")
      ->type_name("TIME");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "A line comes with each change. With -o json each is a line of JSON, with -o yaml a\n"
      "document. The exit code is 0 if the transaction succeeds, 7 if it fails, and 8 if the time\n"
      "of --for is over before.");
  return [options] { return watch(*options); };
}

}  // namespace concerto::tools
