#include <utility>

#include <concerto/core/masked_url.hpp>
#include <concerto/net/etcd_publication.hpp>

#include "target.hpp"
#include "url_parts.hpp"

namespace concerto::net {
namespace {

Error bad_setting(std::string_view setting, std::string_view value, const Error& reason) {
  return Error{reason.code,
               std::string(setting) + " '" + masked_url(value) + "': " + reason.detail};
}

}  // namespace

Result<std::optional<EtcdPublication>> parse_publication(Driver driver, std::string_view target,
                                                         std::string_view endpoint) {
  if (driver == Driver::standard || target.empty()) return std::optional<EtcdPublication>{};
  const auto refuse = [target](const Error& reason) {
    return bad_setting("MicroService.Target", target, reason);
  };
  const auto url = parse_target_url(target);
  if (!url) return refuse(url.error());
  if (url->scheme != "etcd" && url->scheme != "discov") return refuse(scheme_error(url->scheme));
  if (const auto hosts = parse_host_ports(url->host); !hosts) return refuse(hosts.error());

  EtcdPublication publication;
  if (!url->path.empty()) publication.key = url->path.substr(1);
  if (publication.key.empty()) {
    return refuse(make_error(Errc::invalid_request, "no key after the hosts"));
  }
  if (endpoint.empty()) {
    return bad_setting("MicroService.EndPoint", endpoint,
                       make_error(Errc::invalid_request, "the address to publish at '" +
                                                             masked_url(target) + "' is missing"));
  }
  publication.account.hosts = url->host;
  auto account = url->account();
  if (!account) return refuse(account.error());
  publication.account.user = url->parameter("user").value_or(account->user);
  publication.account.password = url->parameter("password").value_or(account->password);
  publication.endpoint = endpoint;
  return std::optional<EtcdPublication>(std::move(publication));
}

}  // namespace concerto::net
