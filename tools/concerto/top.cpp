// concerto top: what a coordinator does now

#include <csignal>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "load_reading.hpp"
#include "server.hpp"
#include "terminal.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct TopOptions {
  ServerOptions server;
  double interval_s = 2;
  std::size_t times = 0;  ///< 0: as long as it takes on a terminal, once elsewhere
};

volatile std::sig_atomic_t top_is_over = 0;

extern "C" void end_top(int) {
  top_is_over = 1;
}

/// A screen of its own on the terminal, which is as it was before when this object ends.
class OwnScreen {
 public:
  explicit OwnScreen(bool is_wanted) : is_wanted_(is_wanted) {
    if (!is_wanted_) return;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, end_top);
    std::cout << "\x1b[?1049h\x1b[?25l" << std::flush;
  }
  ~OwnScreen() {
    constexpr std::string_view as_before = "\x1b[?25h\x1b[?1049l";
    if (!is_wanted_) return;
    // Not by std::cout, which throws when the terminal is gone.
    const ssize_t written = ::write(STDOUT_FILENO, as_before.data(), as_before.size());
    static_cast<void>(written);
  }
  OwnScreen(const OwnScreen&) = delete;
  OwnScreen& operator=(const OwnScreen&) = delete;

  /// Shows a text in place of the one before, as far as there is room.
  void show(const std::string& text, std::size_t rows) const {
    std::string shown = is_wanted_ ? "\x1b[H" : "";
    std::istringstream lines(text);
    std::string line;
    for (std::size_t row = 0; std::getline(lines, line); ++row) {
      if (is_wanted_ && row + 1 >= rows) break;
      shown += line + (is_wanted_ ? "\x1b[K\n" : "\n");
    }
    if (is_wanted_) shown += "\x1b[J";
    std::cout << shown << std::flush;
  }

 private:
  const bool is_wanted_;
};

Result<LoadReading> read_load(Server& server) {
  CONCERTO_TRY(const std::string page, server.get_text("/metrics"));
  return LoadReading{MetricsText::parse(page), server.clock().steady_now()};
}

/// Waits in small steps, so that a signal ends it soon.
void wait_for(double seconds) {
  constexpr std::chrono::milliseconds step{50};
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (top_is_over == 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(step);
  }
}

int top(const TopOptions& options) {
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  const Terminal terminal = Terminal::of(STDOUT_FILENO);
  const bool is_live = terminal.is_terminal && options.server.form == Form::table;
  const std::size_t times = options.times > 0 ? options.times : is_live ? 0 : 1;
  auto before = read_load(**server);
  if (!before) return tell(before.error());
  Error end;
  {
    const OwnScreen screen(is_live);
    for (std::size_t shown = 0; top_is_over == 0 && (times == 0 || shown < times);) {
      wait_for(options.interval_s);
      if (top_is_over != 0) break;
      auto now = read_load(**server);
      if (!now) {
        end = now.error();
        break;
      }
      ++shown;
      if (options.server.form != Form::table) {
        write_document(std::cout, options.server.form, document_of(*before, *now));
      } else {
        std::ostringstream text;
        print_load(text, *before, *now, (*server)->place().url, Terminal::of(STDOUT_FILENO));
        screen.show(text.str(), Terminal::of(STDOUT_FILENO).rows);
      }
      before = std::move(now);
    }
  }
  return end.code ? tell(end) : 0;
}

}  // namespace

std::function<int()> add_top(CLI::App& app) {
  auto options = std::make_shared<TopOptions>();
  app.add_option("--interval", options->interval_s, "Seconds between two readings")
      ->type_name("SECONDS")
      ->default_str("2")
      ->check(CLI::Range(0.1, 3600.0).description(""));
  app.add_option("--times", options->times,
                 "How often it is shown; without it until Ctrl-C on a terminal, once elsewhere")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}).description(""));
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "Rates are those between two readings of the metrics of the coordinator that answers. In a\n"
      "shared store the unfinished transactions are those of all coordinators; while the store is\n"
      "away they are not known (null in JSON). WAITING HERE counts those that this coordinator "
      "has\n"
      "in its memory; `concerto targets` counts those of all.");
  return [options] { return top(*options); };
}

}  // namespace concerto::tools
