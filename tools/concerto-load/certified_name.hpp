#pragma once

#include <memory>
#include <string>
#include <utility>

#include <concerto/transport/host_resolver.hpp>

#include "options.hpp"

namespace concerto::load {

/// Finds the address of the coordinator under the name in its certificate, so that HTTP verifies
/// this name.
class CertifiedName final : public net::HostResolver {
 public:
  /// Both must outlive this object.
  CertifiedName(net::HostResolver& resolver, const LoadOptions& options)
      : resolver_(resolver), options_(options) {}

  Async<net::HostAddressList> resolve(std::string host) override {
    return resolver_.resolve(address_of(std::move(host)));
  }
  Async<net::HostAddressList> resolve_while(
      std::string host, std::shared_ptr<net::LookupInterest> interest) override {
    return resolver_.resolve_while(address_of(std::move(host)), std::move(interest));
  }

 private:
  std::string address_of(std::string host) const {
    return host == options_.access.server_name ? options_.http.host : std::move(host);
  }

  net::HostResolver& resolver_;
  const LoadOptions& options_;
};

}  // namespace concerto::load
