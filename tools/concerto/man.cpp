// concerto man [<verb>]: the man pages of the program

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <concerto/base/system.hpp>

#include "contexts.hpp"
#include "verb_error.hpp"
#include "verb_page.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct ManOptions {
  std::string verb;
  std::string directory;
  bool markdown = false;
};

/// The date of the pages: SOURCE_DATE_EPOCH if it is set, as builds that can be repeated need it.
std::string date_of_pages() {
  const std::string epoch = environment_variable("SOURCE_DATE_EPOCH");
  const std::chrono::sys_seconds time =
      epoch.empty() ? std::chrono::floor<std::chrono::seconds>(SystemClock().wall_now())
                    : std::chrono::sys_seconds(std::chrono::seconds(std::atoll(epoch.c_str())));
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

Result<> write_page(const std::string& directory, const std::string& name,
                    const std::string& text) {
  const std::string path = directory + "/" + name;
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return ok();
  return make_error(VerbErrc::failed, "'" + path + "' cannot be written: " + std::strerror(errno));
}

int man(const ManOptions& options, const VerbPage& program) {
  if (options.markdown) {
    std::cout << markdown_page(program) << std::flush;
    return 0;
  }
  const auto page_of = [&program](const VerbPage& page) {
    return man_page(page, program, CONCERTO_VERSION, date_of_pages());
  };
  if (!options.directory.empty()) {
    auto written = write_page(options.directory, "concerto.1", page_of(program));
    for (const VerbPage& verb : program.parts) {
      if (!written) break;
      written = write_page(options.directory, "concerto-" + verb.path + ".1", page_of(verb));
    }
    return written ? 0 : tell(written.error());
  }
  if (options.verb.empty()) {
    std::cout << page_of(program) << std::flush;
    return 0;
  }
  for (const VerbPage& verb : program.parts) {
    if (verb.path != options.verb) continue;
    std::cout << page_of(verb) << std::flush;
    return 0;
  }
  return tell(make_error(VerbErrc::not_found, "there is no verb '" + options.verb + "'"));
}

}  // namespace

std::function<int()> add_man(CLI::App& app) {
  auto options = std::make_shared<ManOptions>();
  app.add_option("verb", options->verb, "The verb; without it, the program")->type_name("VERB");
  app.add_option("--directory", options->directory, "Write all pages into this directory")
      ->type_name("DIRECTORY");
  app.add_flag("--markdown", options->markdown, "Write docs/cli.md");
  app.footer("Example: concerto man list | man -l -");
  return [options, &app] { return man(*options, describe(*app.get_parent())); };
}

}  // namespace concerto::tools
