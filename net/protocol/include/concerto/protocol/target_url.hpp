#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// The URL of a target or a registry, `scheme://hosts/path?query`: the loose reading of what
/// split_url cuts, as Go's net/url reads it. Any scheme is taken, the path is percent-decoded, and
/// there may be several hosts with ports.
struct CONCERTO_EXPORT TargetUrl {
  std::string scheme;     ///< lower case
  std::string user_info;  ///< `user:password` as it is, without '@'
  std::string host;       ///< `h1:2379,h2:2379`; blanks at the commas are dropped
  std::string path;       ///< empty or beginning with '/'
  std::string query;      ///< as it is, without '?'

  /// The first value of a query parameter, decoded.
  std::optional<std::string> parameter(std::string_view name) const;

  struct Account {
    std::string user;  ///< empty: none is given
    std::string password;
  };
  /// From the user info, decoded. An escape that cannot be decoded is an error's reason.
  [[nodiscard]] Result<Account> account() const;
};

/// The error's detail is a reason only, such as `no scheme`.
[[nodiscard]] CONCERTO_EXPORT Result<TargetUrl> parse_target_url(std::string_view text);

}  // namespace concerto::net
