#pragma once

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::client {

/// What a caller of the client has to tell apart. The detail of the Error has the text of whoever
/// answered.
enum class ClientErrc {
  failure = 1,      ///< rejected: FAILURE, as HTTP 409 or gRPC ABORTED
  ongoing,          ///< outcome unknown: not finished yet; the coordinator goes on with it
  refused,          ///< outcome unknown: any other error that was answered, such as a wrong request
  unknown_outcome,  ///< outcome unknown: no answer came; ask the coordinator, or repeat the request
  try_later,        ///< retry later: nothing was sent, or the coordinator is overloaded
  not_sendable,     ///< rejected: nothing was sent, because the request cannot be right
};

CONCERTO_EXPORT const boost::system::error_category& client_category() noexcept;
CONCERTO_EXPORT boost::system::error_code make_error_code(ClientErrc code) noexcept;

inline Error make_error(ClientErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

/// The error with which the work of a msg or a tcc says that it failed for good.
inline Error failure(std::string why) {
  return make_error(ClientErrc::failure, std::move(why));
}

}  // namespace concerto::client

template <>
struct boost::system::is_error_code_enum<concerto::client::ClientErrc> : std::true_type {};
