#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/coordinator.hpp>
#include <concerto/transport/target_policy.hpp>

namespace concerto::tools {

struct StoreConfig {
  std::string driver = "leveldb";  ///< after validation the name of a kind of store
  std::string path = "./concerto-data";
  std::size_t finished_bytes_max = std::size_t{10} << 30;
  std::size_t free_bytes_min = std::size_t{256} << 20;
  std::chrono::seconds data_expire{604'800};
  std::chrono::seconds finished_data_expire{86'400};
  std::chrono::seconds failed_data_expire{};  ///< 0: as finished_data_expire
  bool finished_data_expire_is_set = false;   ///< in the file or in the environment
  // For stores on a server.
  std::string host;
  std::int64_t port = 0;
  std::string user;
  std::string password;
  std::string password_file;
  std::string db = "dtm";
  std::string schema = "public";
  std::int64_t open_connections_max = 500;
  std::int64_t idle_connections_max = 500;
  std::chrono::minutes connection_life_time{5};
  std::chrono::seconds lease{};  ///< 0: the store's default
  std::string tls_mode = "disable";
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string redis_prefix = "{a}";
  std::string redis_sentinel_master;
  std::int64_t redis_wait_replicas = 0;
  bool redis_wait_on_disk = false;
};

/// How branches are found and where the coordinator registers itself (protocol page 06, section 4).
struct MicroServiceConfig {
  std::string driver = "default";
  std::string target;
  std::string target_file;
  std::string end_point;
};

/// Read for compatibility with existing files. Nothing uses it, as in the reference.
struct HttpMicroServiceConfig {
  std::string driver = "default";
  std::string registry_type;
  std::string registry_address;
  std::string registry_options = "{}";
  std::string target;
  std::string end_point;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  std::string outputs = "stderr";  ///< comma list of stderr, stdout and file names
  bool rotation_enabled = false;
  std::string rotation_json = "{}";  ///< maxsize, maxage, maxbackups, localtime, compress
};

/// The audit log of operators' actions.
struct AuditConfig {
  std::string file;  ///< empty: none is kept
  bool required = true;
  std::size_t file_bytes_max = std::size_t{100} << 20;
  std::size_t files_max = 0;     ///< put aside; 0: no limit
  std::size_t age_max_days = 0;  ///< of files put aside; 0: no limit
};

/// Backups that operators ask a running coordinator for.
struct BackupConfig {
  std::string directory;  ///< empty: none are made
};

/// Traces of OpenTelemetry.
struct TraceConfig {
  std::string endpoint;      ///< empty: nothing is recorded
  std::string sample = "0";  ///< from 0 to 1
  std::string headers;       ///< comma list of name=value
  std::string service_name = "concerto";
  bool propagate = true;
};

/// Limits for requests of clients and answers of branches.
struct ServerLimits {
  std::size_t body_bytes_max = std::size_t{4} << 20;
  std::size_t response_bytes_max = std::size_t{4} << 20;  ///< of a branch's answer
  std::size_t connections_max = 20'000;
  std::size_t streams_per_connection_max = 1'000;
  std::size_t buffered_bytes_max = std::size_t{128} << 20;  ///< what nobody has read yet
  std::chrono::seconds read_timeout{10};   ///< for a request that has begun to arrive
  std::chrono::seconds idle_timeout{300};  ///< for a connection without a request
  std::chrono::seconds http_wait_max{0};   ///< for a transaction's result; 0: no limit
};

/// Proxies in front of the ports, which say who the client is.
struct ProxiesConfig {
  std::string trusted;         ///< comma list of addresses and ranges
  std::string proxy_protocol;  ///< comma list of ports where their connections begin with a header
};

/// How much one client may do. 0: as much as it likes.
struct ClientLimitsConfig {
  std::size_t requests_per_second = 0;
  std::size_t burst = 0;  ///< 0: the requests of one second
  std::size_t bytes_per_second = 0;
  std::size_t connections = 0;
  std::string exempt;  ///< comma list of addresses and ranges
};

/// A port for operators alone.
struct AdminConfig {
  std::int64_t port = 0;       ///< 0: none, the other ports serve everything
  std::string listen_address;  ///< empty: as for the other ports
  bool console = true;         ///< the web console is served
};

/// TLS of both ports.
struct PortTlsConfig {
  std::string cert_file;  ///< empty: plain text
  std::string key_file;
  std::string client_auth = "none";  ///< none, optional or required
  std::string client_ca_file;
  std::string client_crl_file;
};

/// TLS to branches.
struct BranchTlsConfig {
  std::string ca_file;  ///< empty: the system's certificates
  std::string cert_file;
  std::string key_file;
  std::string grpc_targets;  ///< comma list
};

/// How connections to gRPC branches are watched.
struct KeepaliveConfig {
  std::chrono::seconds interval{300};
  std::chrono::seconds timeout{20};
};

/// Who may call the server (docs/security.md).
struct AuthConfig {
  std::string callers_file;
  std::string jwks_file;
  std::string jwt_issuer;
  std::string jwt_audience;
  std::string jwt_roles_claim = "roles";
  std::chrono::seconds jwt_clock_skew{60};
  std::string metrics = "viewers";
  std::string reflection = "viewers";

  /// Otherwise everybody may do everything.
  bool is_on() const noexcept { return !callers_file.empty() || !jwks_file.empty(); }
};

/// The whole configuration of concertod (protocol page 06, sections 2 and 2.1). Each key of the
/// file and of the environment is a row in config_keys.cpp.
struct Config {
  StoreConfig store;
  CoordinatorOptions coordinator;
  MicroServiceConfig micro_service;
  HttpMicroServiceConfig http_micro_service;
  LogConfig log;
  AuditConfig audit;
  BackupConfig backup;
  TraceConfig trace;
  ServerLimits limits;
  KeepaliveConfig keepalive;
  PortTlsConfig tls;
  BranchTlsConfig branch_tls;
  AuthConfig auth;
  ProxiesConfig proxies;
  ClientLimitsConfig client_limits;
  AdminConfig admin;
  std::string listen_address;  ///< empty: all interfaces
  std::int64_t http_port = 36789;
  std::int64_t grpc_port = 36790;
  std::int64_t json_rpc_port = 36791;
  std::size_t shards = 0;  ///< 0: one per core of the affinity mask
  std::chrono::seconds shutdown_delay{3};
  std::chrono::seconds shutdown_grace{10};
  std::chrono::seconds trans_cron_interval{3};
  std::chrono::seconds config_update_interval{3};
  std::int64_t update_branch_sync = 1;
  std::int64_t update_branch_workers = 1;
  std::string time_zone_offset;  ///< hours; empty: the system's zone
  std::int64_t alert_retry_limit = 3;
  std::string alert_web_hook;
  std::string alert_web_hook_file;
  std::string admin_base_path;
  std::string allowed_hosts;  ///< comma list; empty: any, except for browsers
  bool core_dumps = false;
  bool get_may_change = true;
  bool redirect_headers = false;  ///< send branch_headers to other hosts
  std::string target_allow;       ///< comma list; empty: all targets that are not denied
  std::string target_deny{net::TargetPolicy::standard_deny};
  std::string grpc_service_config = R"({"loadBalancingConfig": [{"round_robin":{}}]})";
};

/// What was found while reading a configuration, one sentence per entry. Findings contain no
/// secrets.
struct Findings {
  std::vector<std::string> errors;        ///< the start is refused
  std::vector<std::string> unknown_keys;  ///< warnings; errors under --check-config. What may have
                                          ///< been a key of Concerto's own is in `errors`
  std::vector<std::string> warnings;      ///< legal, but probably not intended
  std::vector<std::string> notices;       ///< worth a line in the log
};

struct LoadedConfig {
  Config config;
  Findings findings;
  std::size_t file_keys = 0;  ///< how many keys the file has
};

struct ConfigTables;

/// The keys and the kinds of stores of concertod.
const ConfigTables& standard_tables();

/// Returns the value of an environment variable; nullopt or empty if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
Environment process_environment();
/// The names of its variables.
std::vector<std::string> process_variables();

/// Reads the configuration and validates it: the YAML text overrides the environment, and the
/// environment overrides the built-in defaults.
LoadedConfig load_config(const std::string& yaml, const Environment& environment,
                         const ConfigTables& tables = standard_tables());

/// The same with a file; an empty name means no file.
LoadedConfig load_config_file(const std::string& file, const Environment& environment);

/// Copies the values that may change in a running process from `fresh` to `running`. Returns the
/// other keys whose values differ.
std::vector<std::string> take_over(const Config& fresh, Config& running,
                                   const ConfigTables& tables = standard_tables());

/// One line for the log: the keys that differ from the defaults, with secrets masked.
std::string summarize(const Config& config, const ConfigTables& tables = standard_tables());

}  // namespace concerto::tools
