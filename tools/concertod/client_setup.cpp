#include "client_setup.hpp"

#include <concerto/protocol/site_guard.hpp>

namespace concerto::tools {
namespace {

Result<net::AddressSet> read_addresses(std::string_view key, const std::string& list) {
  auto set = net::AddressSet::parse(list);
  if (set) return set;
  return make_error(Errc::invalid_request, std::string{key} + ": " + set.error().detail);
}

}  // namespace

Result<Proxies> read_proxies(const ProxiesConfig& config) {
  Proxies proxies;
  CONCERTO_TRY(proxies.trusted, read_addresses("Proxies.Trusted", config.trusted));
  for (const std::string& port : net::host_list(config.proxy_protocol)) {
    if (port == "http") {
      proxies.greet_http = true;
    } else if (port == "grpc") {
      proxies.greet_grpc = true;
    } else {
      return make_error(
          Errc::invalid_request,
          "Proxies.ProxyProtocol: expected ports, as http,grpc, found '" + port + "'");
    }
  }
  if (proxies.trusted.empty() && !config.proxy_protocol.empty()) {
    return make_error(Errc::invalid_request,
                      "Proxies.ProxyProtocol is set, but Proxies.Trusted is empty: nobody may send "
                      "a header");
  }
  return proxies;
}

Result<net::RequestLimits> read_limits(const ClientLimitsConfig& config) {
  net::RequestLimits limits;
  CONCERTO_TRY(limits.exempt, read_addresses("Limits.Exempt", config.exempt));
  limits.requests_per_second = config.requests_per_second;
  limits.burst = config.burst;
  limits.bytes_per_second = config.bytes_per_second;
  return limits;
}

void check_clients(const Config& config, Findings& findings) {
  if (const auto proxies = read_proxies(config.proxies); !proxies) {
    findings.errors.push_back(proxies.error().detail);
  }
  if (const auto limits = read_limits(config.client_limits); !limits) {
    findings.errors.push_back(limits.error().detail);
  }
  if (config.client_limits.burst > 0 && config.client_limits.requests_per_second == 0) {
    findings.warnings.push_back("Limits.Burst is set, but Limits.RequestsPerSecond is not");
  }
}

}  // namespace concerto::tools
