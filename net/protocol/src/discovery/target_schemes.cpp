#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/protocol/target_scheme.hpp>

#include "discovery/host_addresses.hpp"
#include "discovery/schemes/schemes.hpp"

namespace concerto::net {
namespace {

constexpr std::array<std::string_view, 11> schemes_not_here = {
    "consul",    "nacos",    "k8s",       "discovery", "polaris",      "daprhttp",
    "daprphttp", "daprgrpc", "daprpgrpc", "unix",      "unix-abstract"};

/// The schemes among schemes_not_here that gRPC accepts without `//`.
constexpr std::array<std::string_view, 2> bare_schemes_not_here = {"unix", "unix-abstract"};

/// Reads `scheme:endpoint` as a URL whose path is the endpoint. No value if the text is not of this
/// form.
std::optional<TargetUrl> bare_url(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || parse_port(text.substr(colon + 1))) return std::nullopt;
  TargetUrl url;
  url.scheme = text.substr(0, colon);
  std::ranges::transform(url.scheme, url.scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  url.path = text.substr(colon + 1);
  return url;
}

}  // namespace

Error bad_target(std::string_view text, std::string_view reason) {
  return make_error(Errc::invalid_request,
                    "bad target '" + masked_url(text) + "': " + std::string(reason));
}

Error scheme_error(std::string_view scheme) {
  const std::string name(scheme);
  if (std::ranges::find(schemes_not_here, scheme) == schemes_not_here.end()) {
    return make_error(Errc::invalid_request, "unknown scheme: " + name);
  }
  return make_error(Errc::not_supported, "scheme '" + name + "' is not in this version");
}

TargetSchemes TargetSchemes::standard() {
  TargetSchemes schemes;
  schemes.add(direct_scheme());
  schemes.add(dns_scheme());
  schemes.add(passthrough_scheme());
  schemes.add(etcd_scheme("etcd"));
  schemes.add(etcd_scheme("discov"));
  return schemes;
}

void TargetSchemes::add(TargetScheme scheme) {
  const auto same = std::ranges::find(schemes_, scheme.name, &TargetScheme::name);
  if (same == schemes_.end()) {
    schemes_.push_back(std::move(scheme));
  } else {
    *same = std::move(scheme);
  }
}

const TargetScheme* TargetSchemes::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(schemes_, name, &TargetScheme::name);
  return found == schemes_.end() ? nullptr : &*found;
}

bool TargetSchemes::stands_bare(std::string_view scheme) const noexcept {
  if (const TargetScheme* known = find(scheme)) return known->stands_bare;
  return std::ranges::find(bare_schemes_not_here, scheme) != bare_schemes_not_here.end();
}

Result<Target> TargetSchemes::parse(std::string_view text) const {
  TargetUrl url;
  if (text.find("://") != text.npos) {
    auto parsed = parse_target_url(text);
    if (!parsed) return bad_target(text, parsed.error().detail);
    url = std::move(*parsed);
  } else {
    auto bare = bare_url(text);
    if (!bare || !stands_bare(bare->scheme)) return single_host(text);
    url = std::move(*bare);
  }
  const TargetScheme* scheme = find(url.scheme);
  if (scheme == nullptr) return scheme_error(url.scheme);
  CONCERTO_TRY(Target target, scheme->parse(text, url));
  target.url = std::move(url);
  return target;
}

Result<std::unique_ptr<TargetAddresses>> TargetSchemes::open(const Target& target,
                                                             const TargetUses& uses) const {
  const TargetScheme* scheme = find(target.url.scheme);
  if (scheme != nullptr && scheme->open) return scheme->open(target, uses);
  auto addresses = std::make_unique<HostAddresses>(uses.shard);
  addresses->set_hosts(target.hosts);
  return std::unique_ptr<TargetAddresses>(std::move(addresses));
}

}  // namespace concerto::net
