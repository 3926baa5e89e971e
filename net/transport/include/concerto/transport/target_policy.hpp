#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/transport/url.hpp>

namespace concerto::net {

/// Where a call goes to, as its URL says.
struct TargetPlace {
  std::string_view scheme;  ///< `http`, `https`, `grpc`, or `etcd` for a registry
  std::string_view host;    ///< a name, or an address in any spelling, without brackets
  std::uint16_t port = 0;
};

/// Of a URL that parse_url accepts.
CONCERTO_EXPORT TargetPlace place_of(const Url& url) noexcept;

/// Which targets the coordinator may call. Clients choose the URLs of branches, so without a limit
/// they could send the coordinator to services that only its machine reaches.
///
/// Both lists consist of rules, separated by commas. A rule is `[scheme://]host[:port]`. The scheme
/// is http, https, grpc or etcd; the port may be a range, `8000-8999`. The host is `*`, a name,
/// `.b.org` or `*.b.org` for all names below b.org, an address, or a range of addresses such
/// as 10.0.0.0/8; an IPv6 address before a port needs brackets. The words in `standard_deny`, and
/// `loopback` and `private`, stand for groups of addresses.
///
/// A denied target is refused even if it is allowed. If nothing is listed as allowed, all targets
/// are allowed that are not denied. An address is denied in every spelling and in every form in
/// which IPv6 can carry an IPv4 address. Immutable, so any thread may use it; copies are cheap.
class CONCERTO_EXPORT TargetPolicy {
 public:
  /// What is denied unless the configuration says otherwise: addresses at which no service is, but
  /// the metadata of clouds, with credentials of the machine.
  static constexpr std::string_view standard_deny =
      "metadata, link-local, multicast, broadcast, unspecified";

  /// Denies standard_deny, and allows everything else.
  TargetPolicy();

  /// The error's detail names the key, TargetAllow or TargetDeny, and the rule.
  [[nodiscard]] static Result<TargetPolicy> make(std::string_view allow, std::string_view deny);

  /// Before the host is looked up: an error if the call is refused, whatever addresses the host
  /// has. Its detail names target and key; the code is invalid_request.
  [[nodiscard]] Result<> check(const TargetPlace& place) const;

  /// After the look-up, for each address that would be connected to.
  [[nodiscard]] Result<> check(const TargetPlace& place,
                               const boost::asio::ip::address& address) const;

  /// For a host that somebody else looks up, such as a proxy. A name is allowed only by a rule
  /// about names.
  [[nodiscard]] Result<> check_unresolved(const TargetPlace& place) const;

  /// Whether both were made from the same texts.
  bool operator==(const TargetPolicy& other) const noexcept;

 private:
  struct Rules;

  explicit TargetPolicy(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const Rules> rules_;
};

}  // namespace concerto::net
