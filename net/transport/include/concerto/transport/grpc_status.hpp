#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// The status codes of gRPC, with their numbers on the wire.
enum class GrpcCode : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// The name of a code as Go prints it: `NotFound`, `DeadlineExceeded`, `Canceled`.
CONCERTO_EXPORT std::string_view to_string(GrpcCode code) noexcept;

/// How a call ended.
struct GrpcStatus {
  GrpcCode code = GrpcCode::ok;
  std::string message;

  bool ok() const noexcept { return code == GrpcCode::ok; }
};

/// `rpc error: code = NotFound desc = no such thing`, as Go prints it.
CONCERTO_EXPORT std::string describe(const GrpcStatus& status);

/// Category of statuses that came from the peer, or from a call that may have reached the peer.
/// Conditions: `rejected` if the peer says that it did nothing and never will, `retry_later` for
/// resource_exhausted, `outcome_unknown` for all others, unavailable included.
CONCERTO_EXPORT const boost::system::error_category& grpc_category() noexcept;

/// Category of statuses that were made here before any byte of the call was sent. Conditions:
/// `retry_later` for unavailable, deadline_exceeded and resource_exhausted, `rejected` for all
/// others.
CONCERTO_EXPORT const boost::system::error_category& grpc_unsent_category() noexcept;

CONCERTO_EXPORT boost::system::error_code make_error_code(GrpcCode code) noexcept;
CONCERTO_EXPORT boost::system::error_code make_unsent_error_code(GrpcCode code) noexcept;

/// The gRPC code of an error of either category.
CONCERTO_EXPORT std::optional<GrpcCode> grpc_code_of(const error_code& code) noexcept;

/// Makes an Error of a status that is not ok. Its detail is `describe(status)`.
CONCERTO_EXPORT Error to_error(const GrpcStatus& status, bool sent = true);

}  // namespace concerto::net

template <>
struct boost::system::is_error_code_enum<concerto::net::GrpcCode> : std::true_type {};
