#include "config_validate.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <system_error>
#include <utility>

#include <concerto/protocol/alert_hook.hpp>
#include <concerto/protocol/host_port.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/site_guard.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/url.hpp>

#include "admin_path.hpp"
#include "client_setup.hpp"
#include "config_exposure.hpp"
#include "listen_address.hpp"
#include "rotating_file.hpp"
#include "store_setup.hpp"
#include "tls_setup.hpp"
#include "trace_export.hpp"

namespace concerto::tools {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::string_view not_here = " is not in this version";

bool is_one_of(std::string_view text, Names names) {
  return std::ranges::find(names, text) != names.end();
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string{text} + "'";
}

void check_intervals(const CoordinatorOptions& options, Findings& findings) {
  using namespace std::chrono_literals;
  const auto retry = std::to_string(options.retry_interval.count());
  if (options.retry_interval < 1s) {
    findings.errors.push_back("RetryInterval should not be less than 1: it is " + retry);
  }
  if (options.timeout_to_fail < options.retry_interval) {
    findings.errors.push_back("TimeoutToFail should not be less than RetryInterval: it is " +
                              std::to_string(options.timeout_to_fail.count()) +
                              ", RetryInterval is " + retry);
  }
}

/// The range of Store.Port, which a store on a server has. 0 is for the checks of the store: it may
/// do without.
void check_store_port(std::int64_t port, Findings& findings) {
  constexpr std::int64_t port_max = 65'535;
  if (port >= 0 && port <= port_max) return;
  findings.errors.push_back("Store.Port: expected a port from 1 to 65535, found '" +
                            std::to_string(port) + "'");
}

void warn_of_unused_tls(const StoreConfig& store, Findings& findings) {
  if (store.tls_mode != "disable") return;
  for (const auto& [key, file] : {std::pair{"Store.TlsCaFile", &store.tls_ca_file},
                                  std::pair{"Store.TlsCertFile", &store.tls_cert_file},
                                  std::pair{"Store.TlsKeyFile", &store.tls_key_file}}) {
    if (file->empty()) continue;
    findings.warnings.push_back(std::string(key) + " is " + in_quotes(*file) +
                                ", but TLS is not in use: Store.TlsMode is disable");
  }
}

void check_server(const StoreConfig& store, const persist::StoreKinds& kinds, Findings& findings) {
  check_store_port(store.port, findings);
  warn_of_unused_tls(store, findings);
  persist::StoreSettings settings = store_settings(store);
  const bool is_reported = settings.database.port == 0 && store.port != 0;
  if (is_reported) settings.database.port = 1;
  if (const auto checked = kinds.check(settings); !checked) {
    findings.errors.push_back(checked.error().detail);
  }
}

void check_store(StoreConfig& store, const persist::StoreKinds& kinds, Findings& findings) {
  if (store.driver == "boltdb") {
    store.driver = "leveldb";
    findings.notices.push_back(
        "Store.Driver 'boltdb' means the embedded store here (leveldb, in Store.Path); a dtm.bolt "
        "file is not read");
  }
  constexpr std::chrono::seconds lease_min{5};
  if (store.lease.count() > 0 && store.lease < lease_min) {
    findings.errors.push_back("Store.Lease should not be less than 5: it is " +
                              std::to_string(store.lease.count()));
  }
  const bool is_server = is_one_of(store.driver, {"redis", "mysql", "postgres", "sqlserver"});
  if (is_server && kinds.find(store.driver) == nullptr) {
    findings.errors.push_back("Store.Driver " + in_quotes(store.driver) + std::string{not_here});
  } else if (is_server) {
    check_server(store, kinds, findings);
    if (store.driver == "redis" && !store.password.empty() && store.tls_mode == "disable") {
      warn_of_plain_password("Store.Password", store.host, findings);
    }
  } else if (const auto checked = kinds.check(store_settings(store)); !checked) {
    findings.errors.push_back(checked.error().detail);
  }
}

/// Uses the parsers of the start, so that both find the same mistakes.
void check_micro_service(const MicroServiceConfig& service, Findings& findings) {
  const auto driver = net::parse_driver(service.driver);
  if (!driver) {
    findings.errors.push_back(driver.error().detail);
    return;
  }
  const auto plan = net::parse_registration(*driver, service.target, service.end_point);
  if (!plan) {
    findings.errors.push_back(plan.error().detail);
  } else if (!service.target.empty() && !*plan) {
    findings.warnings.push_back("MicroService.Target is set, but MicroService.Driver " +
                                in_quotes(service.driver) +
                                " registers nothing; dtm-driver-gozero registers in etcd");
  }
  if (plan && *plan && !(*plan)->access.password.empty() && (*plan)->access.tls == nullptr) {
    warn_of_plain_password("MicroService.Target", (*plan)->access.hosts, findings);
  }
  if (service.end_point.empty()) return;
  if (const auto address = net::parse_host_port(service.end_point); !address) {
    // The reference registers any text.
    findings.warnings.push_back("MicroService.EndPoint: expected host:port, found " +
                                in_quotes(service.end_point) + "; clients cannot connect to it");
  }
}

void check_ports(const Config& config, Findings& findings) {
  const auto address = parse_listen_address(config.listen_address);
  if (!address) findings.errors.push_back(address.error().detail);
  if (config.http_port != config.grpc_port || config.http_port == 0) return;
  findings.errors.push_back("HttpPort and GrpcPort are both " + std::to_string(config.http_port) +
                            "; each of them needs a port of its own");
}

void check_http(Config& config, Findings& findings) {
  if (config.admin_base_path.find_first_of(" ?#%\\:\"'<>&") != std::string::npos) {
    findings.errors.push_back("AdminBasePath: expected a path such as /dtm, found " +
                              in_quotes(config.admin_base_path));
  }
  config.admin_base_path = clean_admin_path(config.admin_base_path);
  if (const auto other = path_in_conflict(config.admin_base_path); !other.empty()) {
    findings.errors.push_back("AdminBasePath: the admin page at " +
                              in_quotes(config.admin_base_path) + " would be in the way of " +
                              in_quotes(other));
  }
  if (const auto hosts = net::check_host_list(config.allowed_hosts); !hosts) {
    findings.errors.push_back("AllowedHosts: " + hosts.error().detail);
  }
  if (const auto hook = net::check_alert_url(config.alert_web_hook); !hook) {
    findings.errors.push_back("AlertWebHook: " + hook.error().detail);
  }
}

/// What is denied by default is easily lost when other targets are to be denied.
void warn_of_services_of_clouds(std::string_view deny, Findings& findings) {
  const auto rules = net::host_list(deny);
  for (const std::string_view word : {"metadata", "link-local"}) {
    const bool is_denied = std::ranges::any_of(rules, [word](const std::string& rule) {
      return rule == "*" || net::equals_ignoring_case(rule, word);
    });
    if (is_denied) continue;
    findings.warnings.push_back("TargetDeny does not have " + std::string(word) +
                                ", as its default does: clients may have services called that hand "
                                "out credentials of the machine");
  }
}

void check_targets(const Config& config, Findings& findings) {
  const auto policy = net::TargetPolicy::make(config.target_allow, config.target_deny);
  if (!policy) {
    findings.errors.push_back(policy.error().detail);
    return;
  }
  warn_of_services_of_clouds(config.target_deny, findings);
  const auto hook = net::parse_url(config.alert_web_hook);
  if (!hook) return;  // check_http has reported it, unless it is empty.
  if (const auto allowed = policy->check(net::place_of(*hook)); !allowed) {
    findings.errors.push_back("AlertWebHook: " + allowed.error().detail);
  }
}

void check_time_zone(std::string_view hours, Findings& findings) {
  if (hours.empty()) return;
  std::string_view digits = hours;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < -12 || value > 14) {
    findings.errors.push_back("TimeZoneOffset: expected hours from -12 to 14, found " +
                              in_quotes(hours));
  }
}

void check_log(const LogConfig& log, Findings& findings) {
  if (log.outputs.find_first_not_of(", ") == std::string::npos) {
    findings.errors.push_back(
        "Log.Outputs names no output; expected stderr, stdout or files, in a comma list");
  }
  std::vector<std::string> unknown;
  const auto rotation = rotation_from_json(log.rotation_json, unknown);
  if (!rotation) {
    // The reference does not read it then.
    (log.rotation_enabled ? findings.errors : findings.warnings).push_back(rotation.error().detail);
  }
  for (const std::string& name : unknown) {
    findings.unknown_keys.push_back("Log.RotationConfigJSON: unknown member '" + name +
                                    "'; known: maxsize, maxage, maxbackups, localtime, compress");
  }
}

void check_audit(const AuditConfig& audit, Findings& findings) {
  std::error_code unknown;  // The start says what else is wrong.
  if (audit.file.empty() || !std::filesystem::is_directory(audit.file, unknown)) return;
  findings.errors.push_back("Audit.File: expected a file, found the directory " +
                            in_quotes(audit.file));
}

/// The store knows each entry of its directory, and takes a foreign one for damage.
void check_backup(const Config& config, Findings& findings) {
  if (config.backup.directory.empty() || config.store.driver != "leveldb") return;
  const auto plain = [](const std::string& path) {
    std::error_code unknown;
    const auto absolute = std::filesystem::absolute(path, unknown);
    const auto resolved = std::filesystem::weakly_canonical(absolute, unknown);
    return ((unknown ? absolute : resolved) / "").lexically_normal().string();
  };
  if (!plain(config.backup.directory).starts_with(plain(config.store.path))) return;
  findings.errors.push_back("Backup.Directory: expected a directory outside Store.Path, found " +
                            in_quotes(config.backup.directory) + " in " +
                            in_quotes(config.store.path));
}

bool can_be_read(const std::string& file) {
  std::error_code unknown;
  return std::filesystem::is_regular_file(file, unknown) && std::ifstream{file}.good();
}

void check_auth(const AuthConfig& auth, Findings& findings) {
  for (const auto& [key, file] : {std::pair{"Auth.CallersFile", &auth.callers_file},
                                  std::pair{"Auth.JwksFile", &auth.jwks_file}}) {
    if (file->empty() || can_be_read(*file)) continue;
    findings.errors.push_back(std::string(key) + ": the file " + in_quotes(*file) +
                              " cannot be read");
  }
  for (const auto& [key, who] :
       {std::pair{"Auth.Metrics", &auth.metrics}, std::pair{"Auth.Reflection", &auth.reflection}}) {
    if (is_one_of(*who, {"viewers", "anyone", "nobody"})) continue;
    findings.errors.push_back(std::string(key) + ": expected viewers, anyone or nobody, found " +
                              in_quotes(*who));
  }
  for (const auto& [key, value] : {std::pair{"Auth.JwtIssuer", &auth.jwt_issuer},
                                   std::pair{"Auth.JwtAudience", &auth.jwt_audience}}) {
    if (auth.jwks_file.empty() == value->empty()) continue;
    if (value->empty()) {
      findings.errors.push_back(std::string(key) +
                                " is empty; with Auth.JwksFile it is needed, so that tokens for "
                                "others are not accepted here");
    } else {
      findings.warnings.push_back(std::string(key) + " is set, but Auth.JwksFile is not");
    }
  }
}

}  // namespace

void validate(Config& config, const persist::StoreKinds& stores, Findings& findings) {
  check_intervals(config.coordinator, findings);
  check_store(config.store, stores, findings);
  check_micro_service(config.micro_service, findings);
  check_time_zone(config.time_zone_offset, findings);
  check_log(config.log, findings);
  check_audit(config.audit, findings);
  check_backup(config, findings);
  check_ports(config, findings);
  check_http(config, findings);
  check_targets(config, findings);
  check_tls(config, findings);
  check_auth(config.auth, findings);
  check_clients(config, findings);
  check_trace(config.trace, findings);
  warn_of_open_files(config, findings);
}

}  // namespace concerto::tools
