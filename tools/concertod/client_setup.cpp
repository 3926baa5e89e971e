#include "client_setup.hpp"

#include <optional>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

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

/// A network as somebody wrote it: the bits of its prefix, and itself without bits of a host.
struct Network {
  bool is_wide = false;  ///< more than an operator's own networks usually have
  unsigned bits = 0;
  std::string canonical;
  bool has_host = false;
};

template <class Asio>
Network network_from(const Asio& parsed, unsigned bits_min) {
  Network network;
  network.bits = static_cast<unsigned>(parsed.prefix_length());
  network.is_wide = network.bits < bits_min;
  network.canonical = parsed.canonical().to_string();
  network.has_host = parsed.address() != parsed.canonical().address();
  return network;
}

/// Nothing for an address, and for what AddressSet refuses.
std::optional<Network> network_of(const std::string& text) {
  constexpr unsigned v4_bits_min = 8, v6_bits_min = 16;
  if (text.find('/') == std::string::npos) return std::nullopt;
  error_code failed;
  const auto v4 = boost::asio::ip::make_network_v4(text, failed);
  if (!failed) return network_from(v4, v4_bits_min);
  failed.clear();
  const auto v6 = boost::asio::ip::make_network_v6(text, failed);
  if (!failed) return network_from(v6, v6_bits_min);
  return std::nullopt;
}

void check_networks(std::string_view key, const std::string& list, Findings& findings) {
  for (const std::string& text : net::host_list(list)) {
    const auto network = network_of(text);
    if (!network) continue;
    if (network->has_host) {
      findings.errors.push_back(std::string(key) + ": '" + text +
                                "' has bits behind its prefix; the network is " +
                                network->canonical);
    } else if (network->is_wide && network->bits != 0) {
      findings.warnings.push_back(std::string(key) + ": '" + text +
                                  "' is a very large network; whoever is in it is believed or not "
                                  "limited");
    }
  }
}

void check_admin(const Config& config, Findings& findings) {
  const auto address = parse_listen_address(config.admin.listen_address, "Admin.ListenAddress");
  if (!address) findings.errors.push_back(address.error().detail);
  if (config.admin.port == 0) {
    if (!address || config.admin.listen_address.empty()) return;
    findings.errors.push_back(
        "Admin.Port is not set, but Admin.ListenAddress is: the other ports would serve operators");
    return;
  }
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
  const auto limits = read_limits(config.client_limits);
  if (!limits) {
    findings.errors.push_back(limits.error().detail);
  } else if (has_everybody(limits->exempt)) {
    findings.warnings.push_back("Limits.Exempt is '" + config.client_limits.exempt +
                                "': no client is limited");
  }
  check_networks("Proxies.Trusted", config.proxies.trusted, findings);
  check_networks("Limits.Exempt", config.client_limits.exempt, findings);
  check_admin(config, findings);
  if (config.client_limits.burst > 0 && config.client_limits.requests_per_second == 0) {
    findings.warnings.push_back("Limits.Burst is set, but Limits.RequestsPerSecond is not");
  }
}

}  // namespace concerto::tools
