#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

struct SiteGuardOptions {
  /// Names that clients may use for the server: `b.org`, or `.b.org` for all names below it. `*`
  /// allows every name in a Host field, but does not make pages of other sites pages of this
  /// server. If the list is empty, only browsers have to use a name that the server knows.
  std::vector<std::string> allowed_hosts;
  /// The name of the machine. It is allowed too.
  std::string own_name;
  /// Whether a GET may change something, as the protocol allows.
  bool get_may_change = true;
};

/// Prevents pages of other sites from using a visitor's browser against the server, which has no
/// other way to know who sends a request.
///
/// - A browser's request for another site changes nothing. A request is for another site if one of
///   Origin, Sec-Fetch-Site and Referer says so, whatever the others say. Without any of the three
///   a GET counts as such, and so does a POST without the Content-Type application/json.
/// - A browser has to use a name of this server. So a page gains nothing from a foreign name that
///   resolves to the server's address (DNS rebinding). The server's names are IP addresses,
///   localhost, the machine's name and the allowed hosts.
///
/// A request comes from a browser if it has Origin, Sec-Fetch-Site or a User-Agent that begins with
/// `Mozilla/`. Other requests pass, unless allowed_hosts is set and does not name the request's
/// Host. Immutable, so any thread may use it.
class CONCERTO_EXPORT SiteGuard {
 public:
  explicit SiteGuard(SiteGuardOptions options);

  /// Why a request is refused, or nothing for a request that passes. Refusal::Kind::wrong_method if
  /// a GET may not change anything.
  std::optional<Refusal> refuse(const RouteNeeds& needs, const HttpRequest& request) const;

 private:
  bool is_listed(std::string_view name) const;
  /// Whether this value of a Host field is a name of the server.
  bool knows(std::string_view host) const;
  /// Whether a page of `origin` (a URL) belongs to the site called `host`.
  bool is_of_site(std::string_view origin, std::string_view host) const;
  bool is_foreign(const HttpRequest& request, std::string_view host) const;

  SiteGuardOptions options_;
};

/// The names in a list that is separated by commas, without blanks.
CONCERTO_EXPORT std::vector<std::string> host_list(std::string_view text);

/// Checks that each of these names could be in a request's Host field. The error's detail names one
/// that could not, and says how to write it.
[[nodiscard]] CONCERTO_EXPORT Result<> check_host_list(std::string_view text);

}  // namespace concerto::net
