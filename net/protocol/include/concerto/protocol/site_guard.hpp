#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/transport/http_router.hpp>

namespace concerto::net {

struct SiteGuardOptions {
  /// Names by which clients reach the server: `b.org`, `.b.org` for all below it. `*` stands for
  /// every name in a Host field; it makes no page one of this server's.
  /// Empty: only browsers have to use a name that the server knows.
  std::vector<std::string> allowed_hosts;
  /// The name of the machine, which is allowed too.
  std::string own_name;
  /// Whether a GET may change something, as it may in the protocol.
  bool get_may_change = true;
};

/// Keeps pages of other sites from using a visitor's browser against the server, which has no
/// other way to tell who asks.
///
/// - What a browser sends for another site changes nothing: one of its Origin, Sec-Fetch-Site and
///   Referer says so, whatever the others say, or, for a GET, there is none of them.
/// - A browser has to use a name of this server, so that a foreign name that was made to resolve
///   to the server's address gives a page no right (DNS rebinding). Addresses, localhost, the
///   machine's name and the allowed hosts are such names.
///
/// A browser's marks are Origin, Sec-Fetch-Site and a User-Agent that begins with `Mozilla/`. A
/// request without them passes, unless allowed_hosts is set and does not name its
/// Host. Immutable; any thread.
class SiteGuard {
 public:
  explicit SiteGuard(SiteGuardOptions options);

  /// The answer to a request that goes no further: 403, or 405 when GET may not change anything.
  std::optional<HttpResponse> refuse(const HttpRequest& request, RouteEffect effect) const;

 private:
  bool is_listed(std::string_view name) const;
  /// Whether the server is known by this value of a Host field.
  bool knows(std::string_view host) const;
  /// Whether a page of `origin`, which is a URL, belongs to the site called `host`.
  bool is_of_site(std::string_view origin, std::string_view host) const;
  bool is_foreign(const HttpRequest& request, std::string_view host) const;

  SiteGuardOptions options_;
};

/// The names of a list that commas separate, without blanks.
std::vector<std::string> host_list(std::string_view text);

/// Whether each of these names could be in a request's Host field. The error's detail says which
/// one could not, and how it is written.
[[nodiscard]] Result<> check_host_list(std::string_view text);

}  // namespace concerto::net
