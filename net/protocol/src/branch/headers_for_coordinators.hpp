#pragma once

#include <string_view>

#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Whether a coordinator reads in a header of this name for whom a request is made, or why. No
/// branch call has such a header from a client: a branch may be another coordinator, which trusts
/// this one's address.
inline bool is_for_coordinators(std::string_view name) noexcept {
  return equals_ignoring_case(name, "X-Forwarded-For") ||
         equals_ignoring_case(name, "X-Concerto-Reason");
}

inline constexpr std::string_view for_coordinators =
    "a coordinator that is called would take it for words of this one";

}  // namespace concerto::net
