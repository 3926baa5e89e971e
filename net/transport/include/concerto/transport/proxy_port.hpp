#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <concerto/transport/address_set.hpp>

namespace concerto::net {

/// Proxies whose connections to a port begin with a header of the PROXY protocol, version 2, before
/// TLS and everything else. The header names the client. The connections of all others begin with
/// what the port speaks: a header from them is never read.
struct ProxyPort {
  AddressSet proxies;  ///< none: no header is expected
  /// A header has to be complete after this time.
  std::chrono::milliseconds header_timeout{10'000};
  std::string name{};  ///< of the port, for `say`
  /// Is called with a sentence for the operator when headers cannot be read, at most once a minute.
  std::function<void(const std::string&)> say{};
};

}  // namespace concerto::net
