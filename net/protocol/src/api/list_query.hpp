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

/// The parameters of `all` (protocol page 02, section 7.2).
struct ListQuery {
  Gid gid;  ///< if not empty: only this transaction, and the other members do not count
  ListFilter filter;
  TroubleFilter trouble;
  std::string topic;  ///< as in BulkSelection
  std::string owner;  ///< likewise
  std::string position;
  std::size_t limit = 100;
  bool explain = false;  ///< the answer says what each transaction is doing and why
};

inline constexpr std::size_t list_limit_max = 1000;
/// Limit of `target`, `lastError`, `topic` and `owner`.
inline constexpr std::size_t search_bytes_max = 1024;

/// The parameter `limit` of a request, but at least 1 and at most list_limit_max; 100 without the
/// parameter.
Result<std::size_t> list_limit(const HttpRequest& request);

/// The integer parameter `name` of a request, or `absent` without the parameter. Error:
/// invalid_request.
Result<std::int64_t> integer_value(const HttpRequest& request, std::string_view name,
                                   std::int64_t absent);

/// Reads the parameters that the reference has. Error invalid_request: a malformed number, an
/// unknown status or type.
Result<ListQuery> list_query_from(const HttpRequest& request, const ModeTable& modes);

/// Reads Concerto's own parameters into `query`. Ages are counted back from `now`. Error
/// invalid_request: also a parameter that is empty, since it would select everything.
Result<> take_own_parameters(const HttpRequest& request, WallTime now, ListQuery& query);

}  // namespace concerto::net
