#pragma once

#include <cstddef>

#include <boost/json/value.hpp>

#include <concerto/transport/http_client.hpp>

#include "json_members.hpp"

namespace concerto::tools {

/// The coordinator refuses requests because there are too many.
inline constexpr unsigned too_many_requests = 429;
/// How much is shown of an answer that is none of a coordinator.
inline constexpr std::size_t shown_bytes = 80;

/// The JSON of an answer, or the error that its status stands for.
Result<json::value> json_of(const net::HttpClientResponse& answer);

/// The error that an answer stands for whose status is not 200 to 299. It was that to a request
/// which changes nothing.
Error error_of(const net::HttpClientResponse& answer);

/// The same for an answer to a request that changes something: unreachable only if the coordinator
/// has said that nothing was changed.
Error error_of_change(const net::HttpClientResponse& answer);

}  // namespace concerto::tools
