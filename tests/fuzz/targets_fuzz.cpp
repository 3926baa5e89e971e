// URLs of gRPC branches, and where these connect to: hosts, DNS names, keys of an etcd.

#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/grpc_url.hpp>
#include <concerto/protocol/target_scheme.hpp>

#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

std::string text_of(const HostPort& host) {
  const bool is_ipv6 = host.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host.host + "]" : host.host) + ":" + std::to_string(host.port);
}

void check_hosts(const std::vector<HostPort>& hosts) {
  require(!hosts.empty());
  for (const HostPort& host : hosts) {
    require(!host.host.empty() && host.port > 0);
    require(host.host.find('\0') == std::string::npos);
    // A name in brackets that has brackets itself is not an address. The lookup reports that.
    if (host.host.find_first_of("[]") != std::string::npos) continue;
    const std::string text = text_of(host);
    const auto again = parse_host_port(text);
    require(again.has_value() && *again == host);
  }
}

/// No error may show a password.
void check_error(const Error& error, std::string_view text) {
  require(error.code == Errc::invalid_request || error.code == Errc::not_supported);
  const bool has_secret = masked_url(text) != text && text.find('*') == text.npos;
  require(!has_secret || error.detail.find(text) == std::string::npos);
}

void check_target(std::string_view text) {
  static const TargetSchemes schemes = TargetSchemes::standard();
  const auto target = schemes.parse(text);
  if (!target) {
    check_error(target.error(), text);
    return;
  }
  check_hosts(target->hosts);
  require(target->hosts.size() <= target_addresses_max);
  const bool is_in_etcd = target->url.scheme == "etcd" || target->url.scheme == "discov";
  require(target->key.empty() != is_in_etcd);
  require(!target->key.starts_with('/') && !target->key.ends_with('/'));
  if (is_in_etcd) require(target->url.account().has_value());
}

}  // namespace

void targets(std::string_view input) {
  check_target(input);
  if (const auto hosts = parse_host_ports(input)) check_hosts(*hosts);
  if (const auto host = parse_host_port(input, std::uint16_t{443})) check_hosts({*host});
  for (const Driver driver : {Driver::standard, Driver::gozero}) {
    const auto parts = parse_grpc_url(driver, input);
    if (!parts) check_error(parts.error(), input);
    if (!parts) continue;
    require(parts->method.starts_with('/'));
    check_target(parts->target);
  }
  if (const auto url = parse_target_url(input)) {
    require(url->path.empty() || url->path.starts_with('/'));
    (void)url->account();
    (void)url->parameter("a");
  }
}

}  // namespace concerto::fuzz
