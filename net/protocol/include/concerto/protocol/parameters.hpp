#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Checks the query of a request for one of Concerto's own routes (/api/concerto/): each parameter
/// is one of `names`, is there once, and is not empty, but for `position`, which is empty at first.
/// Whoever misspells a filter must not get everything. Error invalid_request names the parameter.
[[nodiscard]] CONCERTO_EXPORT Result<> check_parameters(const HttpRequest& request,
                                                        std::span<const std::string_view> names);
[[nodiscard]] inline Result<> check_parameters(const HttpRequest& request,
                                               std::initializer_list<std::string_view> names) {
  return check_parameters(request, std::span(names.begin(), names.size()));
}

}  // namespace concerto::net
