#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <concerto/persist/managed_store.hpp>
#include <concerto/protocol/etcd_registration.hpp>
#include <concerto/transport/listener.hpp>

#include "access_files.hpp"
#include "audit_log.hpp"
#include "backlog_watch.hpp"
#include "backup_pages.hpp"
#include "certificate_expiry.hpp"
#include "client_setup.hpp"
#include "config.hpp"
#include "config_changes.hpp"
#include "file_watch.hpp"
#include "listen_address.hpp"
#include "logging.hpp"
#include "ops_pages.hpp"
#include "refused_targets.hpp"
#include "service_manager.hpp"
#include "shard.hpp"
#include "tls_setup.hpp"
#include "trace_export.hpp"

namespace concerto::tools {

/// The store of a server, which it outlives.
struct OpenedStore {
  persist::ManagedStore& store;
  /// Whether nothing is missing there of what is migrated into it. If nobody knows yet, the server
  /// finds out as soon as the store answers.
  bool is_whole = false;
};

/// The coordinator as a process: shards, front ends, registration, and the order in which they
/// start and stop. Built, run and destroyed on the main thread.
class Server {
 public:
  /// Reads the configuration again. The findings are written to the log.
  using Reload = std::function<LoadedConfig()>;

  /// The referenced objects must outlive the server; `audit` may be null. `ports` holds the
  /// configuration's ports if the process already listens on them; otherwise `run` listens.
  Server(const Config& config, OpenedStore store, Log& log, AuditLog* audit,
         const ServiceManager& manager, Reload reload, ListeningPorts ports = {});

  /// Serves until SIGTERM, SIGINT or SIGQUIT, and then stops in order; a second signal ends the
  /// process without waiting. SIGHUP opens the log files anew and applies the keys that may change
  /// in a running process: log level, limits, retention. The files of TLS, of callers and of keys
  /// are read again, as whenever they change. SIGUSR1 opens the log files anew. An error says why
  /// the server could not start.
  Result<> run();

 private:
  Result<> set_up();
  Result<> set_targets();
  Result<> set_client_limits();
  std::size_t operators_max() const noexcept;
  std::shared_ptr<net::ClientConnections> make_connections(std::string limit);
  void share_descriptors();
  ClientPort make_client_port(std::string name);
  ClientPort make_admin_port();
  void make_listeners(const Proxies& proxies);
  std::unique_ptr<net::Listener> make_listener(std::vector<net::ConnectionServer*> servers,
                                               net::ProxyPort proxies);
  net::ProxyPort proxy_port(const net::AddressSet& trusted, bool greets, std::string name);
  Result<> start_shards();
  Result<> listen();
  Task<bool> store_is_whole();
  Task<void> recover();
  void tell_recovered() const;
  Task<bool> wait_until_begun();
  void begin_registration();
  void set_serving(bool serving);
  Task<void> tell_readiness(std::string server);
  Task<void> tell_that_it_lives();
  void wait_for_signal();
  void wait_for_hangup();
  void reload();
  Result<std::string> take_over_fresh();
  std::string tell(const std::vector<KeyChange>& changed);
  Result<std::shared_ptr<const net::AccessRules>> read_access();
  void reload_access();
  Task<void> apply(const Config& fresh, TlsContexts tls);
  Result<TlsContexts> read_tls_files();
  void watch_files();
  void renew_tls();
  void use_tls(const TlsContexts& tls);
  /// What jobs and backups leave in the log, and in the audit log when they end.
  void record_ends();
  Task<void> record_end(BulkJob job);
  Task<void> leave_service(std::chrono::seconds delay);
  Task<void> stop();
  OpsPages::Sources ops_sources();
  std::vector<std::string> why_not_live() const;
  std::vector<std::string> why_not_ready_for_log() const;
  std::vector<std::string> why_not_ready(const std::vector<std::string>& of_store) const;
  std::vector<std::string> shown(std::vector<std::string> of_store) const;

  Config config_;  ///< the values in force
  persist::ManagedStore& store_;
  const bool is_whole_;
  Log& log_;
  AuditLog* const audit_;
  const ServiceManager& manager_;
  const Reload reload_;
  ListeningPorts ports_;  ///< until the listeners have them
  net::SystemClock clock_;
  net::SystemRandom random_;
  AccessFiles access_files_;
  net::CallerNames caller_names_;  ///< the requests of all shards have ids of them
  net::WrongTokens wrong_tokens_;
  net::RightTokens right_tokens_;
  net::RequestLimiter limiter_;
  const std::shared_ptr<net::ClientConnections> client_connections_;
  const std::shared_ptr<net::ClientConnections> admin_connections_;
  BackupPages backup_pages_;
  const OpsPages ops_pages_;
  RefusedTargets refused_targets_;
  net::TargetGuard targets_;             ///< which targets may be called; the shards use it
  std::unique_ptr<TraceExport> traces_;  ///< null: nothing is recorded
  std::vector<std::unique_ptr<Shard>> shards_;
  net::DnsWorkers dns_;  ///< ends before the io_contexts that its look-ups answer to
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<BulkActions> bulk_;
  std::optional<net::RegistrationPlan> registration_plan_;

  // Over all shards.
  DescriptorPlan descriptors_;
  std::shared_ptr<net::SocketBudget> all_clients_;
  ClientPorts client_ports_;
  std::shared_ptr<net::SocketBudget> grpc_calls_;

  // On the first shard.
  net::DescriptorShortage shortage_;
  std::unique_ptr<net::Listener> http_listener_;
  std::unique_ptr<net::Listener> grpc_listener_;
  std::unique_ptr<net::Listener> admin_listener_;  ///< null without an admin port
  std::unique_ptr<net::EtcdRegistration> registration_;
  std::unique_ptr<TaskGroup> recovery_;
  std::unique_ptr<TaskGroup> background_;
  std::unique_ptr<BacklogWatch>
      backlog_watch_;  ///< null if no other coordinator can share the store

  asio::io_context control_{1};
  asio::signal_set signals_{control_, SIGINT, SIGTERM, SIGQUIT};
  asio::signal_set hangups_{control_, SIGHUP, SIGUSR1};
  asio::steady_timer watch_timer_{control_};

  // On the main thread.
  const std::vector<std::string> tls_files_;
  FileWatch tls_watch_;
  CertificateWatch certificates_;
  std::string tls_text_;        ///< what clients meet at the ports
  std::string tls_trouble_;     ///< why the files of TLS cannot be used, as the log has it
  std::string access_trouble_;  ///< the same for those of callers and keys

  // Read by probes on any shard.
  std::atomic<bool> recovered_{false};
  std::atomic<bool> stopping_{false};
  int stop_signal_ = 0;           ///< on the main thread
  std::optional<Error> failure_;  ///< likewise: why the server ends without a signal
};

}  // namespace concerto::tools
