#pragma once

#include <cstddef>
#include <string>

#include <concerto/core/error.hpp>
#include <concerto/core/store.hpp>
#include <concerto/net/http_message.hpp>

namespace concerto::net {

/// What `all` is asked for (protocol page 02, section 7.2).
struct ListQuery {
  Gid gid;  ///< if not empty, only this transaction; the rest does not count
  ListFilter filter;
  std::string position;
  std::size_t limit = 100;
  /// A status or type is asked for that no transaction can have.
  bool matches_nothing = false;
};

inline constexpr std::size_t list_limit_max = 1000;

/// Error invalid_request: a number that is none.
Result<ListQuery> list_query_from(const HttpRequest& request);

}  // namespace concerto::net
