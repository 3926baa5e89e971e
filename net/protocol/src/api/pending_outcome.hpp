#pragma once

#include <string_view>

#include <concerto/engine/coordinator.hpp>

namespace concerto::net {

/// What an answer says of a transaction that has not ended, in an HTTP header or a gRPC trailer.
/// The protocol's answers do not tell that from a failure: a submit with wait_result hears FAILURE
/// of a saga that goes on (protocol page 02, section 5.3).
inline constexpr std::string_view outcome_header = "Concerto-Outcome";
inline constexpr std::string_view outcome_trailer = "concerto-outcome";
inline constexpr std::string_view outcome_pending = "pending";

/// Whether the transaction of a submit or abort that was answered with this error goes on: it is
/// there and has not ended. Looks it up, but for errors of requests that were not taken.
Task<bool> is_pending(Coordinator& coordinator, Gid gid, error_code code);

}  // namespace concerto::net
