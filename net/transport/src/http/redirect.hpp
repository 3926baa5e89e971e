#pragma once

#include <concerto/transport/http_client.hpp>

namespace concerto::net {

/// Turns `request` into the request that a redirect asks for. False if the answer is not a
/// redirect: its status says so, or it has no Location. Another host gets only some of the headers:
/// `carries_headers` is HttpClientOptions::redirects_carry_headers.
bool follow_redirect(HttpClientRequest& request, const HttpClientResponse& response,
                     bool carries_headers);

}  // namespace concerto::net
