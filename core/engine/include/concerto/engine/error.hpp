#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Errors about transactions, their branches and the store; Errc has the general ones. If front
/// ends answer with a code, its comment names the class of the answer (protocol page 02, section
/// 2).
enum class EngineErrc {
  trans_not_found = 1,  ///< no transaction has this gid; plain error
  gid_exists,           ///< a store's answer to creating a gid twice
  status_mismatch,      ///< a store's answer when the status is not the expected one
  invalid_entry,        ///< the branch or topic of a request is not valid; plain error
  branch_exists,        ///< the transaction has a row with this (branch_id, op); plain error
  key_not_found,        ///< key-value: no such record, or another version; plain error
  key_exists,           ///< key-value: created twice; plain error
  status_conflict,      ///< the status does not allow the request; FAILURE class
  trans_failed,         ///< the awaited transaction rolls back or has rolled back; FAILURE class
  result_not_success,   ///< the awaited pass has ended without success; FAILURE class
  branch_failure,       ///< a branch that may not fail answered FAILURE; FAILURE class
  branch_ongoing,       ///< a branch is not finished; ONGOING class
  branch_error,         ///< a branch call ended in an error; plain error
  lease_lost,           ///< nothing changed: another coordinator works on the transaction
  store_busy,         ///< the store is too busy and changed nothing; the same call may soon succeed
  store_late,         ///< the store has not answered in time; the request goes on, and may succeed
  store_failed,       ///< a write failed; the change may or may not be durable
  store_unavailable,  ///< the store takes no writes until it is reopened
  store_damaged,      ///< stored data does not pass its checks
};

CONCERTO_EXPORT const boost::system::error_category& engine_category() noexcept;
CONCERTO_EXPORT boost::system::error_code make_error_code(EngineErrc code) noexcept;

inline Error make_error(EngineErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

}  // namespace concerto

template <>
struct boost::system::is_error_code_enum<concerto::EngineErrc> : std::true_type {};
