#include "config_validate.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include <concerto/protocol/alert_hook.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/site_guard.hpp>

#include "admin_path.hpp"
#include "listen_address.hpp"
#include "rotating_file.hpp"
#include "store_setup.hpp"

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
  const bool of_reference = is_one_of(store.driver, {"redis", "mysql", "postgres", "sqlserver"});
  if (of_reference && kinds.find(store.driver) == nullptr) {
    findings.errors.push_back("Store.Driver " + in_quotes(store.driver) + std::string{not_here});
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
}

void check_ports(const Config& config, Findings& findings) {
  const auto address = parse_listen_address(config.listen_address);
  if (!address) findings.errors.push_back(address.error().detail);
  if (config.http_port != config.grpc_port || config.http_port == 0) return;
  findings.errors.push_back("HttpPort and GrpcPort are both " + std::to_string(config.http_port) +
                            "; each of them needs a port of its own");
}

void check_http(Config& config, Findings& findings) {
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
  if (!log.rotation_enabled) return;
  std::vector<std::string> unknown;
  const auto rotation = rotation_from_json(log.rotation_json, unknown);
  if (!rotation) findings.errors.push_back(rotation.error().detail);
  for (const std::string& name : unknown) {
    findings.unknown_keys.push_back("Log.RotationConfigJSON: unknown member '" + name +
                                    "'; known: maxsize, maxage, maxbackups, localtime, compress");
  }
}

}  // namespace

void validate(Config& config, const persist::StoreKinds& stores, Findings& findings) {
  check_intervals(config.coordinator, findings);
  check_store(config.store, stores, findings);
  check_micro_service(config.micro_service, findings);
  check_time_zone(config.time_zone_offset, findings);
  check_log(config.log, findings);
  check_ports(config, findings);
  check_http(config, findings);
}

}  // namespace concerto::tools
