// concerto migrate --from <store> --to <store>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/transport/system.hpp>

#include "audit_log.hpp"
#include "migration.hpp"
#include "no_log.hpp"
#include "secrets.hpp"
#include "store_choice.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct MigrateOptions {
  std::string from;
  std::string to;
  MigrationOptions migration;
};

/// Shows a store's warnings and errors, and counts the errors: a record that cannot be read is
/// logged and left out. Until the store is opened, the lines are kept: if it cannot be opened, the
/// error says why. Thread-safe.
class StoreLog final : public Observer {
 public:
  StoreLog(std::string place, std::vector<std::string> secrets)
      : place_(std::move(place)), secrets_(std::move(secrets)) {}

  void log(LogLevel level, std::string_view gid, std::string_view text) override {
    if (!logs(level)) return;
    const MutexLock lock(mutex_);
    if (level == LogLevel::error) ++errors_;
    std::string line = place_ + ": ";
    if (!gid.empty()) line.append("'").append(gid).append("': ");
    line.append(without_secrets(std::string(text), secrets_));
    line = visible_line(line);
    if (is_open_) {
      std::cerr << line << std::endl;
    } else if (kept_.size() < kept_max) {
      kept_.push_back(std::move(line));
    }
  }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
  void opened() {
    const MutexLock lock(mutex_);
    is_open_ = true;
    for (const std::string& line : kept_) std::cerr << line << std::endl;
    kept_.clear();
  }
  std::size_t errors() const {
    const MutexLock lock(mutex_);
    return errors_;
  }

 private:
  static constexpr std::size_t kept_max = 1'000;

  const std::string place_;
  const std::vector<std::string> secrets_;
  mutable Mutex mutex_;
  std::size_t errors_ CONCERTO_GUARDED_BY(mutex_) = 0;
  bool is_open_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::vector<std::string> kept_ CONCERTO_GUARDED_BY(mutex_);
};

std::string environment_text(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread yet
  return value == nullptr ? std::string() : value;
}

/// What to write when a signal ends the process. A signal handler reads it.
std::atomic<const char*> words_of_interruption = nullptr;
static_assert(std::atomic<const char*>::is_always_lock_free);

/// Ends the process as the signal would have done, after a word to the operator. The stores survive
/// that as they survive a crash.
extern "C" void end_with_words(int signal) {
  constexpr int of_signals = 128;
  const char* const words = words_of_interruption.load();
  const ssize_t written = words == nullptr ? 0 : ::write(STDERR_FILENO, words, std::strlen(words));
  static_cast<void>(written);
  ::_exit(of_signals + signal);
}

/// `to`: the place of the target.
class InterruptionWords {
 public:
  explicit InterruptionWords(const std::string& to)
      : later_(
            "\ninterrupted. To go on, run the same command again. Until it has ended, no "
            "coordinator starts on " +
            to + "\n") {
    words_of_interruption = "\ninterrupted; this run has copied nothing\n";
    for (const int signal : {SIGINT, SIGTERM}) {
      // What a shell has had ignored, as for a job in the background, stays ignored.
      if (std::signal(signal, end_with_words) == SIG_IGN) std::signal(signal, SIG_IGN);
    }
  }
  ~InterruptionWords() {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  }
  InterruptionWords(const InterruptionWords&) = delete;
  InterruptionWords& operator=(const InterruptionWords&) = delete;

  void copying_begins() { words_of_interruption = later_.c_str(); }

 private:
  const std::string later_;
};

/// What a migration copies must not expire while it runs. Redis gives each key its time to live
/// when the key is written.
void keep_everything(persist::StoreSettings& settings) {
  settings.database.deletes_finished = false;
  settings.database.is_of_coordinator = false;
  if (settings.driver == "redis") return;
  constexpr std::chrono::seconds for_ever = std::chrono::years{100};
  settings.retention.finished_expire = settings.retention.failed_expire = for_ever;
  settings.retention.finished_bytes_max = std::uint64_t{1} << 60;
}

using StorePtr = std::unique_ptr<persist::ManagedStore>;

Result<StorePtr> open(const StoreChoice& choice, const Clock& clock, StoreLog& log) {
  const auto named = [&choice](Error error) {
    error.detail = choice.place + ": " + without_secrets(error.detail, choice.secrets);
    return error;
  };
  auto store = choice.kind->open(choice.settings, clock, log);
  if (!store) return named(std::move(store).error());
  const StoreHealth health = (*store)->health();
  if (health.state != StoreHealth::State::serving) {
    return named(make_error(EngineErrc::store_unavailable, health.reasons.front()));
  }
  log.opened();
  // What the reference has written into Redis becomes part of Concerto's lists.
  const Result<> tended = (*store)->maintain();
  if (!tended) return named(tended.error());
  return store;
}

/// The source must be there: opening it would create it.
Result<> check_source(const StoreChoice& source, const Clock& clock) {
  NoLog log;
  const auto counted = source.kind->count_unfinished(source.settings, clock, log);
  if (!counted) {
    Error error = counted.error();
    error.detail = source.place + ": " + without_secrets(error.detail, source.secrets);
    return error;
  }
  if (*counted) return ok();
  return make_error(EngineErrc::store_unavailable, "nothing is stored in " + source.place);
}

/// `io` outlives the stores, whose threads may still be leaving it.
Result<MigrationReport> run_migration(asio::io_context& io, Migration& migration) {
  Result<MigrationReport> report;
  std::exception_ptr bug;
  const auto work = asio::make_work_guard(io);
  asio::co_spawn(io, migration.run(), [&](const std::exception_ptr& error, auto result) {
    bug = error;
    report = std::move(result);
    io.stop();
  });
  io.run();
  if (bug) std::rethrow_exception(bug);
  return report;
}

std::string counts_of(const MigrationReport& report) {
  std::string text = counted(report.source.count, "transaction");
  const char* separator = ": ";
  for (const TransStatus status :
       {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting, TransStatus::succeed,
        TransStatus::failed}) {
    const std::size_t count = report.source.by_status.at(static_cast<std::size_t>(status));
    if (count == 0) continue;
    text += separator + std::to_string(count) + " " + std::string(to_string(status));
    separator = ", ";
  }
  return text + "; " + counted(report.topics, "topic");
}

std::string hexadecimal(std::uint64_t number) {
  std::string digits(16, '0');
  for (std::size_t i = digits.size(); number > 0; number >>= 4) {
    digits[--i] = "0123456789abcdef"[number & 15];
  }
  return digits;
}

int tell_report(const MigrationReport& report, const MigrateOptions& options) {
  for (const std::string& problem : report.problems) {
    std::cerr << visible_line(problem) << std::endl;  // it names gids, which clients have chosen
  }
  if (report.end == MigrationReport::End::refused) {
    std::cerr << "nothing was copied" << std::endl;
    return exit_refused;
  }
  std::cout << counts_of(report) << std::endl;
  const bool is_done = report.end == MigrationReport::End::done;
  if (!is_done) return exit_failed;
  if (options.migration.only_counts) {
    std::cout << "everything fits; nothing was copied" << std::endl;
    return 0;
  }
  std::cout << report.copied << " copied now, " << report.found_there << " before";
  if (report.expired > 0) std::cout << ", " << report.expired << " expired meanwhile in the source";
  std::cout << "; both stores were compared, checksum " << hexadecimal(report.transactions_sum)
            << std::endl;
  return 0;
}

int fail(const Error& error, int code) {
  std::cerr << visible_line(error.detail) << std::endl;
  return code;
}

/// The audit log of the target's configuration, or else of the source's. Null if there is none, or
/// if nothing is changed.
Result<std::unique_ptr<AuditLog>> open_audit(const StoreChoice& from, const StoreChoice& to,
                                             bool only_counts, const Clock& clock, Log& log) {
  if (only_counts) return std::unique_ptr<AuditLog>();
  return AuditLog::open(to.audit.file.empty() ? from.audit : to.audit, clock, log);
}

/// How a migration has ended, for its record.
Result<> end_of(const Result<MigrationReport>& report) {
  if (!report) return report.error();
  if (report->end == MigrationReport::End::done) return ok();
  return make_error(Errc::invalid_request,
                    report->problems.empty() ? "not done" : report->problems.front());
}

int migrate(const MigrateOptions& options) {
  const ConfigTables& tables = standard_tables();
  const Environment environment = process_environment();
  auto from =
      choose_store(options.from, environment_text("CONCERTO_FROM_PASSWORD"), environment, tables);
  if (!from) return fail({from.error().code, "--from: " + from.error().detail}, exit_usage);
  auto to = choose_store(options.to, environment_text("CONCERTO_TO_PASSWORD"), environment, tables);
  if (!to) return fail({to.error().code, "--to: " + to.error().detail}, exit_usage);
  if (from->place == to->place) {
    return fail(make_error(Errc::invalid_request, "both are " + from->place), exit_usage);
  }
  keep_everything(from->settings);
  keep_everything(to->settings);

  InterruptionWords words(to->place);
  asio::io_context io{1};
  const net::SystemClock clock;
  StoreLog from_log(from->place, from->secrets), to_log(to->place, to->secrets);
  if (const auto there = check_source(*from, clock); !there) {
    return fail(there.error(), exit_refused);
  }
  const auto source = open(*from, clock, from_log);
  if (!source) return fail(source.error(), exit_refused);
  const auto target = open(*to, clock, to_log);
  if (!target) return fail(target.error(), exit_refused);

  const auto log = Log::open(LogConfig{});
  if (!log) return fail(log.error(), exit_refused);
  const auto audit = open_audit(*from, *to, options.migration.only_counts, clock, **log);
  if (!audit) return fail(audit.error(), exit_refused);
  LocalAction action(audit->get(), "migrate", "command", from->place + " to " + to->place);
  if (const auto begun = action.begin(); !begun) return fail(begun.error(), exit_refused);

  MigrationOptions how = options.migration;
  how.begins = [&words] { words.copying_begins(); };
  Progress progress(std::cerr, ::isatty(STDERR_FILENO) != 0, clock);
  MigrationEnd here(**source, from->place, from->settings.driver == "redis");
  here.errors = [&from_log] { return from_log.errors(); };
  Migration migration(std::move(here), {**target, to->place}, std::move(how), clock, progress);
  const auto report = run_migration(io, migration);
  progress.interrupt();
  (*target)->close();
  (*source)->close();
  action.end(end_of(report));
  if (!report) return fail(report.error(), exit_failed);
  return tell_report(*report, options);
}

}  // namespace

std::function<int()> add_migrate(CLI::App& app) {
  auto options = std::make_shared<MigrateOptions>();
  app.add_option("--from", options->from, "Where the data is: a configuration file, a URL, or env")
      ->type_name("STORE")
      ->required();
  app.add_option("--to", options->to, "Where the data is to be, in the same form")
      ->type_name("STORE")
      ->required();
  app.add_flag("--dry-run", options->migration.only_counts,
               "Count, and check that everything fits into the target");
  app.add_flag("--add", options->migration.adds,
               "Add to the transactions and topics that the target has");
  app.footer(
      "URLs: leveldb:DIRECTORY, postgres://USER:PASSWORD@HOST:PORT/DATABASE, mysql://..,\n"
      "redis://:PASSWORD@HOST:PORT; keys of the section Store follow as ?RedisPrefix=%7Bb%7D.\n"
      "Passwords that are not in a URL: CONCERTO_FROM_PASSWORD, CONCERTO_TO_PASSWORD.\n"
      "Run it again after an interruption, with the same stores: it goes on.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused and nothing copied,\n"
      "130 interrupted (Ctrl-C).");
  return [options] { return migrate(*options); };
}

}  // namespace concerto::tools
