#pragma once

#include <string>
#include <utility>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// How the work of a branch ended, if not with success. A branch answers its caller accordingly.
enum class BarrierErrc {
  failure = 1,      ///< the branch refuses: HTTP 409, gRPC ABORTED. The work was rolled back
  ongoing,          ///< not finished yet: HTTP 425, gRPC FAILED_PRECONDITION. Rolled back, too
  duplicated,       ///< the local work of a msg, or an XA action, that was done or given up before
  wrong_state,      ///< begin within a transaction, or the work outside of one: misuse
  database_failed,  ///< the database refused; nothing happened. A repeated request may succeed
  commit_unknown,   ///< the connection broke at the commit. A repeated request finds out
};

CONCERTO_EXPORT const boost::system::error_category& barrier_category() noexcept;
CONCERTO_EXPORT boost::system::error_code make_error_code(BarrierErrc code) noexcept;

inline Error make_error(BarrierErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

/// What a business function returns to refuse: the transaction as a whole is rolled back.
[[nodiscard]] inline Result<> branch_failure(std::string why) {
  return make_error(BarrierErrc::failure, std::move(why));
}

/// What a business function returns to be called again later.
[[nodiscard]] inline Result<> branch_ongoing(std::string why) {
  return make_error(BarrierErrc::ongoing, std::move(why));
}

}  // namespace concerto

template <>
struct boost::system::is_error_code_enum<concerto::BarrierErrc> : std::true_type {};
