#pragma once

#include <string_view>

#include <concerto/engine/coordinator.hpp>

namespace concerto::net {

/// The HTTP header or gRPC trailer that says that the transaction has not ended. The protocol's
/// answers do not distinguish this from a failure: a submit with wait_result is answered with
/// FAILURE although the saga goes on (protocol page 02, section 5.3).
inline constexpr std::string_view outcome_header = "Concerto-Outcome";
inline constexpr std::string_view outcome_trailer = "concerto-outcome";
inline constexpr std::string_view outcome_pending = "pending";
/// The same header: the store has not answered, so the request may succeed or not.
inline constexpr std::string_view outcome_unknown = "unknown";

/// True if the transaction of a submit or abort that failed with this error exists and has not
/// ended. If the error says that the request was refused, the transaction is not looked up.
Task<bool> is_pending(Coordinator& coordinator, Gid gid, error_code code);

}  // namespace concerto::net
