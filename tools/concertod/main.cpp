// concertod: makes the objects of a configuration, runs them and ends them in order.

#include <csignal>
#include <iostream>
#include <memory>

#include <google/protobuf/stubs/logging.h>
#include <sys/stat.h>

#include <concerto/persist/store_backup.hpp>
#include <concerto/persist/store_factory.hpp>
#include <concerto/transport/http_proxy.hpp>

#include "access_print.hpp"
#include "audit_log.hpp"
#include "command_line.hpp"
#include "config.hpp"
#include "config_changes.hpp"
#include "config_exposure.hpp"
#include "config_print.hpp"
#include "config_tables.hpp"
#include "descriptor_plan.hpp"
#include "listen_address.hpp"
#include "logging.hpp"
#include "out_of_memory.hpp"
#include "secrets.hpp"
#include "server.hpp"
#include "service_manager.hpp"
#include "standard_output.hpp"
#include "standard_streams.hpp"
#include "store_reset.hpp"
#include "store_setup.hpp"
#include "unended_migration.hpp"

namespace concerto::tools {
namespace {

constexpr int exit_failure = 1;

/// Answers --check-config, --print-config and --print-access.
int report_config(const CommandLine& command, const LoadedConfig& loaded) {
  for (const std::string& error : loaded.findings.errors) std::cerr << error << '\n';
  for (const std::string& warning : loaded.findings.warnings) std::cerr << warning << '\n';
  for (const std::string& notice : loaded.findings.notices) std::cerr << notice << '\n';
  const char* const of_check =
      command.check_config ? " (an error of the check; the start warns)" : "";
  for (const std::string& key : loaded.findings.unknown_keys) std::cerr << key << of_check << '\n';
  if (command.print_config) std::cout << print_config(loaded.config);
  if (command.print_access) std::cout << print_access(loaded.config);
  const bool faultless = loaded.findings.errors.empty() &&
                         (!command.check_config || loaded.findings.unknown_keys.empty());
  if (command.check_config && faultless) {
    std::cout << "the configuration is correct; whether its ports are free, and its store and log "
                 "files can be opened, shows at the start\n";
  }
  return faultless ? 0 : exit_failure;
}

/// Signals that would end the process without need. Some come after a write to a closed pipe or
/// beyond the limit of a file's size, where the write's error is enough; others from somebody who
/// mistook the process or the signal. Signals of faults in the program, of debuggers and of a limit
/// on CPU time still end the process. SIGHUP and SIGUSR1 get a handler as soon as the server runs;
/// before, there is nothing to reopen.
void ignore_signals() {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
                           SIGPWR, SIGSTKFLT, SIGXFSZ}) {
    std::signal(signal, SIG_IGN);
  }
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) std::signal(signal, SIG_IGN);
}

/// Takes the rights of others from new files, because logs quote what branches answer.
void restrict_new_files() {
  constexpr mode_t of_others = 0027;
  ::umask(::umask(of_others) | of_others);
}

/// Drops the stored data. If the server could not listen because another process has the ports,
/// nothing is dropped: the ports are taken first, and kept for the server.
Result<ListeningPorts> reset(const Config& config, const persist::StoreKind& kind,
                             const CommandLine& command, const Clock& clock, LogObserver& observer,
                             AuditLog* audit) {
  ListeningPorts ports;
  if (!kind.drop) return ports;  // the data ended with its process
  CONCERTO_TRY(ports, listen_on_ports(config.listen_address, config.http_port, config.grpc_port));
  StandardStreamsCaller caller;
  LocalAction action(audit, "reset", "command", store_place(config));
  CONCERTO_CHECK(action.begin());
  const Result<> done = reset_store(kind, store_settings(config),
                                    {command.yes, command.even_in_use}, caller, clock, observer);
  action.end(done);
  if (!done) return done.error();
  return ports;
}

int serve(const Config& config, OpenedStore store, Log& log, AuditLog* audit, Server::Reload reload,
          ListeningPorts ports) {
  const auto manager = ServiceManager::from_environment();
  if (!manager) {
    log.error(manager.error().detail);
    return exit_failure;
  }
  try {
    Server server(config, store, log, audit, *manager, std::move(reload), std::move(ports));
    const Result<> served = server.run();
    if (!served) log.error(served.error().detail);
    return served ? 0 : exit_failure;
  } catch (const boost::system::system_error& error) {
    // An io_context needs descriptors. No thread runs yet.
    log.error(std::string("the server cannot be set up: ") + error.what());
    return exit_failure;
  }
}

int serve(const Config& config, const CommandLine& command, Log& log, Server::Reload reload) {
  const persist::StoreKinds& kinds = standard_tables().stores;
  asio::io_context io{1};
  net::SystemClock clock;
  LogObserver observer(log);
  ListeningPorts ports;
  const auto audit = AuditLog::open(config.audit, clock, log);
  if (!audit) {
    log.error("the audit log cannot be opened: " + audit.error().detail);
    return exit_failure;
  }
  if (const auto* kind = kinds.find(config.store.driver); command.reset && kind != nullptr) {
    auto dropped = reset(config, *kind, command, clock, observer, audit->get());
    if (!dropped) {
      log.error("the store is not reset: " + dropped.error().detail);
      return exit_failure;
    }
    ports = std::move(*dropped);
  }
  const auto store = kinds.open(store_settings(config), clock, observer);
  if (!store) {
    log.error("the store cannot be opened: " + store.error().detail);
    return exit_failure;
  }
  const auto unended = unended_migration_now(io, **store, store_place(config));
  if (unended && *unended) {
    log.error(**unended);
    return exit_failure;
  }
  const int exit_code = serve(config, {**store, unended.has_value()}, log, audit->get(),
                              std::move(reload), std::move(ports));
  (*store)->close();
  log.info("stopped");
  return exit_code;
}

/// The configuration for a command line, with the values of the environment.
LoadedConfig load(const CommandLine& command) {
  LoadedConfig loaded = load_config_file(command.config_file, process_environment());
  if (const auto proxies = net::HttpProxyRules::from_environment(); !proxies) {
    loaded.findings.errors.push_back(proxies.error().detail);
  }
  for (std::string& warning : misspelt_variables(process_variables(), standard_tables().keys)) {
    loaded.findings.warnings.push_back(std::move(warning));
  }
  if (command.debug) loaded.config.log.level = LogLevel::debug;
  loaded.config.coordinator.starts_paused = command.paused;
  return loaded;
}

/// Answers --verify.
int verify(const LoadedConfig& loaded) {
  for (const std::string& error : loaded.findings.errors) std::cerr << error << '\n';
  if (!loaded.findings.errors.empty()) return exit_failure;
  const StoreConfig& store = loaded.config.store;
#ifdef CONCERTO_STORE_LEVELDB
  if (store.driver == "leveldb") {
    const auto report = persist::verify_store(store.path);
    if (!report) {
      std::cerr << report.error().detail << '\n';
      return exit_failure;
    }
    for (const std::string& note : report->notes) std::cerr << note << '\n';
    std::cout << "the store '" << store.path << "' is sound: " << report->groups << " groups with "
              << report->records << " records, " << report->begun << " transactions begun, "
              << report->finished << " finished\n";
    return 0;
  }
#endif
  std::cerr << "--verify checks the embedded store, and Store.Driver is '" << store.driver << "'\n";
  return exit_failure;
}

int run(const CommandLine& command) {
  if (command.print_sample || command.print_keys) {
    return run_with_output([&command] {
      std::cout << (command.print_sample ? print_sample() : print_key_page());
      return 0;
    });
  }
  LoadedConfig loaded = load(command);
  if (command.verify) return run_with_output([&loaded] { return verify(loaded); });
  if (command.check_config && loaded.findings.errors.empty()) {
    check_files(loaded.config, loaded.findings);
  }
  if (command.check_config || command.print_config || command.print_access) {
    return run_with_output([&] { return report_config(command, loaded); });
  }
  const Config& config = loaded.config;
  auto log = Log::open(config.log);
  if (!log) {
    std::cerr << log.error().detail << '\n';
    return exit_failure;
  }
  (*log)->hide(secrets_of(config));
  if (config.core_dumps) allow_core_dumps();
  for (const std::string& notice : loaded.findings.notices) (*log)->info(notice);
  for (const std::string& warning : loaded.findings.warnings) (*log)->warn(warning);
  for (const std::string& key : loaded.findings.unknown_keys) (*log)->warn(key);
  for (const std::string& error : loaded.findings.errors) (*log)->error(error);
  if (!loaded.findings.errors.empty()) return exit_failure;
  (*log)->info(summarize(config));
  return serve(config, command, **log, [&command, file_keys = loaded.file_keys] {
    LoadedConfig fresh = load(command);
    refuse_lost_keys(file_keys, fresh);
    return fresh;
  });
}

}  // namespace
}  // namespace concerto::tools

int main(int argc, char** argv) {
  using namespace concerto::tools;
  if (!open_standard_streams()) return exit_failure;
  forbid_core_dumps();  // Secrets are read before it is known whether CoreDumps allows them.
  end_when_out_of_memory("concertod");
  const CommandLine command = parse_command_line({argv + 1, argv + argc});
  std::cerr << command.for_stderr;
  if (command.exit_code) {
    return run_with_output([&command] {
      std::cout << command.for_stdout;
      return *command.exit_code;
    });
  }
  ignore_signals();
  // Otherwise the library logs a line for every text of a client that is not UTF-8.
  google::protobuf::SetLogHandler(nullptr);
  raise_descriptor_limit();  // one process serves many connections
  restrict_new_files();
  return run(command);
}
