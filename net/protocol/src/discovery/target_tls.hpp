#pragma once

#include <string>
#include <vector>

#include <concerto/protocol/target_scheme.hpp>

namespace concerto::net {

/// Whether this list (TargetChannelsOptions::tls_targets) names the target: its key if it is in a
/// registry, otherwise one of its hosts at least. All of the target's hosts then have to speak TLS.
bool uses_tls(const Target& target, const std::vector<std::string>& list);

/// The name that the certificates of the target's servers must have. Empty: the IP address that was
/// connected to, because the addresses are a registry's or there are hosts with several names.
std::string tls_host(const Target& target);

}  // namespace concerto::net
