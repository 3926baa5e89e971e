// concerto backup | restore | verify: copies of the embedded store.

#include <ctime>
#include <memory>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include <concerto/engine/error.hpp>
#include <concerto/transport/system.hpp>

#include "backup_online.hpp"
#include "backup_options.hpp"
#include "verb_error.hpp"

namespace concerto::tools {
namespace {

struct BackupOptions {
  std::string from;
  std::string to;
  OnlineBackup online;  ///< its name and base are also those of a backup of a closed store
};

/// A name that tells the time, in UTC.
std::string name_of_time(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

/// The name of the newest backup in a directory. Errors: store_unavailable if there is none.
Result<std::string> newest_backup(const std::string& directory) {
  CONCERTO_TRY(const auto backups, persist::list_backups(directory));
  if (!backups.empty()) return backups.back().name;
  return make_error(EngineErrc::store_unavailable,
                    "--base latest: there is no backup in '" + directory + "'");
}

int backup_of_store(const BackupOptions& options) {
  const net::SystemClock clock;
  const std::string& name = options.online.name;
  const std::string& base = options.online.base;
  const auto store = embedded_store_path(options.from);
  if (!store) return tell_error(store.error()), exit_usage;
  Progress progress(std::cerr, ::isatty(STDERR_FILENO) != 0, clock);
  persist::BackupRequest request;
  request.directory = options.to;
  request.name = name.empty() ? name_of_time(clock.wall_now()) : name;
  request.base = base;
  request.verify_base = options.online.verify_base;
  if (base == "latest") {
    auto newest = newest_backup(options.to);
    if (!newest) return tell_error(newest.error());
    request.base = std::move(*newest);
  }
  request.progress = shown_on(progress, "groups copied");
  const auto made = persist::backup_closed_store(*store, request, clock);
  progress.interrupt();
  if (!made) return tell_error(made.error());
  std::cout << request.directory << "/" << made->name << ": ";
  if (made->first_group == 0) {
    std::cout << "nothing new, up to group " << made->last_group;
  } else {
    std::cout << "groups " << made->first_group << " to " << made->last_group << ", " << made->bytes
              << " bytes";
  }
  std::cout << (made->base.empty() ? "; a full backup" : "; builds on " + made->base) << std::endl;
  return 0;
}

int backup(const BackupOptions& options) {
  const OnlineBackup& online = options.online;
  if (online.full && (online.verify_base || !online.base.empty())) {
    return tell(make_error(VerbErrc::usage, "--full: a full backup has no --base"));
  }
  if (online.verify_base && !options.from.empty() && online.base.empty()) {
    return tell(make_error(VerbErrc::usage, "--verify-base: there is no --base"));
  }
  if (options.from.empty() != options.to.empty()) {
    return tell(make_error(VerbErrc::usage,
                           "--from and --to go together; without both, a coordinator that runs "
                           "makes the backup"));
  }
  return options.from.empty() ? backup_of_coordinator(online) : backup_of_store(options);
}

int restore(const BackupOptions& options) {
  const net::SystemClock clock;
  const auto store = embedded_store_path(options.to);
  if (!store) return tell_error(store.error()), exit_usage;
  Progress progress(std::cerr, ::isatty(STDERR_FILENO) != 0, clock);
  const auto done = persist::restore_backup(
      options.from, *store, shown_on(progress, "groups checked, written, compared"));
  progress.interrupt();
  if (!done) return tell_error(done.error());
  std::cout << *store << ": " << to_text(*done) << std::endl;
  return 0;
}

int verify(const std::vector<std::string>& paths) {
  const net::SystemClock clock;
  int code = 0;
  for (const std::string& text : paths) {
    const auto path = embedded_store_path(text);
    if (!path) return tell_error(path.error()), exit_usage;
    Progress progress(std::cerr, ::isatty(STDERR_FILENO) != 0, clock);
    const auto shown = shown_on(progress, "groups read");
    const auto is_backup = persist::is_backup(*path);
    const bool of_backup = is_backup && *is_backup;
    const auto report =
        of_backup ? persist::verify_backup(*path, shown) : persist::verify_store(*path, shown);
    progress.interrupt();
    if (!report) {
      const int failed = tell_error(report.error());
      if (code != exit_failed) code = failed;  // damage is the worst
      continue;
    }
    for (const std::string& note : report->notes) std::cerr << visible_line(note) << std::endl;
    std::cout << *path << ": sound " << (of_backup ? "backup" : "store") << ": " << to_text(*report)
              << std::endl;
  }
  return code;
}

}  // namespace

std::function<int()> add_backup(CLI::App& app) {
  auto options = std::make_shared<BackupOptions>();
  OnlineBackup& online = options->online;
  app.add_option("--from", options->from,
                 "The store of a coordinator that is stopped: its directory, leveldb:DIRECTORY, a "
                 "configuration file, or env")
      ->type_name("STORE");
  app.add_option("--to", options->to, "With --from: the directory of backups")->type_name("DIR");
  app.add_option("--name", online.name, "The name of the new backup; the time, if absent")
      ->type_name("NAME");
  app.add_option("--base", online.base,
                 "Hold only what came after this backup, which is in the same directory; `latest`: "
                 "after the newest one")
      ->type_name("NAME");
  app.add_flag("--verify-base", online.verify_base,
               "Before, read all that the new backup builds on. Damage is an error with --base; "
               "otherwise the backup then holds everything");
  app.add_flag("--full", online.full, "Hold everything");
  app.add_option("--reason", online.reason, "Why, for the coordinator's audit log")
      ->type_name("TEXT");
  add_server_options(app, online.server);
  app.footer(
      "Without --from a coordinator that runs makes the backup, in its Backup.Directory: of what "
      "came\nafter the newest one there, if there is one that fits. With --from the coordinator is "
      "stopped,\nand without --base everything is copied. The store is read and not changed.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused and nothing written.");
  return [options] { return backup(*options); };
}

std::function<int()> add_restore(CLI::App& app) {
  auto options = std::make_shared<BackupOptions>();
  app.add_option("--from", options->from, "The backup; those that it builds on are beside it")
      ->type_name("DIR")
      ->required();
  app.add_option("--to", options->to,
                 "The store's directory, absent or empty: or leveldb:DIRECTORY, a configuration "
                 "file, or env")
      ->type_name("STORE")
      ->required();
  app.footer(
      "Everything is checked before it is written and read again afterwards. After an\n"
      "interruption, run the same command again.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused and nothing written.");
  return [options] { return restore(*options); };
}

std::function<int()> add_verify(CLI::App& app) {
  auto paths = std::make_shared<std::vector<std::string>>();
  app.add_option("path", *paths, "Backups, and stores that no coordinator has open")
      ->type_name("DIR")
      ->required();
  app.footer(
      "Reads everything and changes nothing.\n"
      "Exit codes: 0 all are sound, 1 one is damaged or cannot be read, 2 wrong command line,\n"
      "3 one is in use or is neither a store nor a backup.");
  return [paths] { return verify(*paths); };
}

}  // namespace concerto::tools
