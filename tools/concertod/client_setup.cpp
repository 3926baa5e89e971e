#include "client_setup.hpp"

#include <concerto/protocol/site_guard.hpp>

#include "listen_address.hpp"

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
    } else if (port == "admin") {
      proxies.greet_admin = true;
    } else {
      return make_error(
          Errc::invalid_request,
          "Proxies.ProxyProtocol: expected ports, as http,grpc,admin, found '" + port + "'");
    }
  }
  if (proxies.trusted.empty() && !config.proxy_protocol.empty()) {
    return make_error(Errc::invalid_request,
                      "Proxies.Trusted is empty, but Proxies.ProxyProtocol is set: nobody may send "
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

std::string admin_address(const Config& config) {
  return config.admin.listen_address.empty() ? config.listen_address : config.admin.listen_address;
}

namespace {

/// Nobody has the unspecified address, but all addresses together include it.
bool has_everybody(const net::AddressSet& set) {
  using namespace boost::asio::ip;
  return set.contains(address_v4::any()) || set.contains(address_v6::any());
}

void check_admin(const Config& config, Findings& findings) {
  const auto address = parse_listen_address(config.admin.listen_address, "Admin.ListenAddress");
  if (!address) findings.errors.push_back(address.error().detail);
  if (config.admin.port == 0) return;
  for (const auto& [key, port] :
       {std::pair{"HttpPort", config.http_port}, std::pair{"GrpcPort", config.grpc_port}}) {
    if (port != config.admin.port) continue;
    findings.errors.push_back(std::string{key} + " and Admin.Port are both " +
                              std::to_string(port) + "; each of them needs a port of its own");
  }
}

}  // namespace

void check_clients(const Config& config, Findings& findings) {
  const auto proxies = read_proxies(config.proxies);
  if (!proxies) {
    findings.errors.push_back(proxies.error().detail);
  } else if (has_everybody(proxies->trusted)) {
    findings.warnings.push_back("Proxies.Trusted is '" + config.proxies.trusted +
                                "': every client may claim to have any address");
  }
  if (const auto limits = read_limits(config.client_limits); !limits) {
    findings.errors.push_back(limits.error().detail);
  }
  check_admin(config, findings);
  if (config.client_limits.burst > 0 && config.client_limits.requests_per_second == 0) {
    findings.warnings.push_back("Limits.Burst is set, but Limits.RequestsPerSecond is not");
  }
}

}  // namespace concerto::tools
