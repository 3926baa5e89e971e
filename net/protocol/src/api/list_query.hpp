#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// What `all` is asked for (protocol page 02, section 7.2).
struct ListQuery {
  Gid gid;  ///< if not empty, only this transaction; the rest does not count
  ListFilter filter;
  TroubleFilter trouble;
  std::string position;
  std::size_t limit = 100;
  bool explain = false;  ///< say of each transaction why it is where it is
};

inline constexpr std::size_t list_limit_max = 1000;
/// Of a text to look for.
inline constexpr std::size_t search_bytes_max = 1024;

/// `limit` of a request, 1 to list_limit_max; 100 without one.
Result<std::size_t> list_limit(const HttpRequest& request);

/// The integer parameter `name` of a request, `absent` without one. Error invalid_request.
Result<std::int64_t> integer_value(const HttpRequest& request, std::string_view name,
                                   std::int64_t absent);

/// Ages count from `now`. Error invalid_request: a number that is none, a text that is too long, a
/// status or type that there is not.
Result<ListQuery> list_query_from(const HttpRequest& request, WallTime now, const ModeTable& modes);

}  // namespace concerto::net
