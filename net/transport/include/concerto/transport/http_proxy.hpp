#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// Decides which requests go through a proxy, by the rules of Go's net/http for HTTP_PROXY,
/// HTTPS_PROXY and NO_PROXY. Immutable after construction.
///
/// NO_PROXY is a list, separated by commas, of hosts, addresses and CIDR ranges, each with an
/// optional `:port`, or `*`. The host `b.org` stands for `b.org` and all names below it; `.b.org`
/// and `*.b.org` stand only for the names below. localhost and loopback addresses never use a
/// proxy.
class CONCERTO_EXPORT HttpProxyRules {
 public:
  struct Proxy {
    std::string host;
    std::string port;
    std::string authorization;  ///< value of Proxy-Authorization, empty without userinfo
  };

  /// Rules that use no proxy.
  HttpProxyRules() = default;
  /// `http` and `https` are proxy URLs or `host:port`, empty for none.
  static Result<HttpProxyRules> make(std::string_view http, std::string_view https,
                                     std::string_view no_proxy);
  /// Reads the rules from the environment: first the names in upper case, then in lower case.
  static Result<HttpProxyRules> from_environment();

  bool has_any() const noexcept { return http_ || https_; }
  /// The proxy for a request; nullptr for a direct connection. `host` has no brackets.
  const Proxy* find(bool is_https, std::string_view host, std::string_view port) const;

 private:
  struct DomainRule {
    std::string suffix;  // starts with a dot
    std::string port;    // empty: every port
    bool covers_itself;
  };
  struct AddressRule {
    boost::asio::ip::address address;
    unsigned prefix_bits;
    std::string port;
  };

  void add_exception(std::string_view entry);
  bool bypasses(std::string_view host, std::string_view port) const;

  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  bool bypass_all_ = false;
  std::vector<DomainRule> domains_;
  std::vector<AddressRule> addresses_;
};

}  // namespace concerto::net
