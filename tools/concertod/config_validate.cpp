#include "config_validate.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "rotating_file.hpp"

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

void check_store(StoreConfig& store, Findings& findings) {
  if (store.driver == "boltdb") {
    store.driver = "leveldb";
    findings.notices.push_back(
        "Store.Driver 'boltdb' means the embedded store here (leveldb, in Store.Path); a dtm.bolt "
        "file is not read");
  }
  if (is_one_of(store.driver, {"redis", "mysql", "postgres", "sqlserver"})) {
    findings.errors.push_back("Store.Driver " + in_quotes(store.driver) + std::string{not_here});
  } else if (!is_one_of(store.driver, {"leveldb", "memory"})) {
    findings.errors.push_back("Store.Driver: expected leveldb or memory, found " +
                              in_quotes(store.driver));
  }
  if (store.driver == "leveldb" && store.path.empty()) {
    findings.errors.push_back("Store.Path is empty; the embedded store needs a directory");
  }
}

// `hosts/key?query`, what stands behind the scheme.
bool has_host_and_key(std::string_view rest) {
  rest = rest.substr(0, rest.find('?'));
  const auto slash = rest.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < rest.size();
}

void check_target(const MicroServiceConfig& service, Findings& findings) {
  const std::string_view target = service.target;
  const auto colon = target.find("://");
  const std::string scheme{target.substr(0, colon)};
  if (colon == std::string_view::npos) {
    findings.errors.push_back("MicroService.Target: expected scheme://hosts/key, no '://' found");
  } else if (is_one_of(scheme, {"consul", "nacos"})) {
    findings.errors.push_back("MicroService.Target: scheme " + in_quotes(scheme) +
                              std::string{not_here});
  } else if (!is_one_of(scheme, {"etcd", "discov"})) {
    findings.errors.push_back("MicroService.Target: unknown scheme: " + scheme);
  } else if (!has_host_and_key(target.substr(colon + 3))) {
    findings.errors.push_back("MicroService.Target: expected " + scheme +
                              "://host:port/key, the host or the key is missing");
  }
  if (service.end_point.empty()) {
    findings.errors.push_back(
        "MicroService.EndPoint is empty; MicroService.Target needs the address to publish");
  }
}

void check_micro_service(const MicroServiceConfig& service, Findings& findings) {
  const std::string& driver = service.driver;
  if (is_one_of(driver, {"dtm-driver-kratos", "dtm-driver-polaris", "dtm-driver-ego",
                         "dtm-driver-dapr", "dtm-driver-springcloud", "dtm-driver-sponge"})) {
    findings.errors.push_back("MicroService.Driver " + in_quotes(driver) + std::string{not_here});
  } else if (!is_one_of(driver, {"default", "dtm-driver-gozero"})) {
    findings.errors.push_back("no dtm driver with name: " + driver + " has been registered");
  } else if (!service.target.empty() && driver == "default") {
    findings.notices.push_back(
        "MicroService.Target is set, but MicroService.Driver 'default' registers nothing");
  } else if (!service.target.empty()) {
    check_target(service, findings);
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

/// AdminBasePath as the router wants it: `/dtm`, empty for none. The reference takes `dtm`,
/// `/dtm/`, `/` and what else its path library makes one path of.
std::string clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (segment == "..") {
      clean.erase(std::min(clean.rfind('/'), clean.size()));
    } else if (!segment.empty() && segment != ".") {
      clean.append("/").append(segment);
    }
  }
  return clean;
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

void validate(Config& config, Findings& findings) {
  check_intervals(config.coordinator, findings);
  check_store(config.store, findings);
  check_micro_service(config.micro_service, findings);
  check_time_zone(config.time_zone_offset, findings);
  check_log(config.log, findings);
  config.admin_base_path = clean_path(config.admin_base_path);
}

}  // namespace concerto::tools
