#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/target_scheme.hpp>
#include <concerto/transport/http_tls.hpp>

namespace concerto::net {
namespace {

/// Without a scheme nobody knows where a password begins, so such a text is not shown.
std::string shown_setting(std::string_view value) {
  const bool has_scheme = value.find("://") != value.npos;
  return has_scheme || value.find_first_of("@?&=") == value.npos ? masked_url(value) : "***";
}

Error bad_setting(std::string_view setting, std::string_view value, const Error& reason) {
  return Error{reason.code,
               std::string(setting) + " '" + shown_setting(value) + "': " + reason.detail};
}

Result<bool> flag(const TargetUrl& url, std::string_view name) {
  const auto value = url.parameter(name);
  if (!value) return false;
  if (*value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0") return false;
  return make_error(Errc::invalid_request,
                    std::string(name) + " is 'true' or 'false', not '" + *value + "'");
}

/// The names of the parameters are those of the ego framework.
Result<std::shared_ptr<boost::asio::ssl::context>> tls_of(const TargetUrl& url) {
  TlsClientFiles files;
  files.ca = url.parameter("caCert").value_or("");
  files.certificate = url.parameter("certFile").value_or("");
  files.key = url.parameter("keyFile").value_or("");
  const bool has_file = !files.ca.empty() || !files.certificate.empty() || !files.key.empty();
  CONCERTO_TRY(const bool is_asked_for, flag(url, "enableSecure"));
  if (!has_file && !is_asked_for) return std::shared_ptr<boost::asio::ssl::context>{};
  if (!is_asked_for && url.parameter("enableSecure")) {
    return make_error(Errc::invalid_request,
                      "enableSecure is false, but caCert, certFile or keyFile is given");
  }
  return make_tls_client_context(files);
}

Result<EtcdAccess> access_of(const TargetUrl& url) {
  CONCERTO_TRY(auto account, url.account());
  EtcdAccess access;
  access.hosts = url.host;
  access.user = url.parameter("user").value_or(std::move(account.user));
  access.password = url.parameter("password").value_or(std::move(account.password));
  CONCERTO_TRY(access.tls, tls_of(url));
  return access;
}

}  // namespace

Result<std::optional<RegistrationPlan>> parse_registration(Driver driver, std::string_view target,
                                                           std::string_view endpoint) {
  if (driver == Driver::standard || target.empty()) return std::optional<RegistrationPlan>{};
  const auto refuse = [target](const Error& reason) {
    return bad_setting("MicroService.Target", target, reason);
  };
  const auto url = parse_target_url(target);
  if (!url) return refuse(url.error());
  if (url->scheme != "etcd" && url->scheme != "discov") return refuse(scheme_error(url->scheme));
  if (const auto hosts = parse_host_ports(url->host); !hosts) return refuse(hosts.error());

  RegistrationPlan plan;
  if (!url->path.empty()) plan.key = url->path.substr(1);
  if (plan.key.empty()) {
    return refuse(make_error(Errc::invalid_request, "no key after the hosts"));
  }
  if (endpoint.empty()) {
    return bad_setting("MicroService.EndPoint", endpoint,
                       make_error(Errc::invalid_request, "the address to publish at '" +
                                                             masked_url(target) + "' is missing"));
  }
  auto access = access_of(*url);
  if (!access) return refuse(access.error());
  plan.access = std::move(*access);
  plan.endpoint = endpoint;
  return std::optional<RegistrationPlan>(std::move(plan));
}

}  // namespace concerto::net
