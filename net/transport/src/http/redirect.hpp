#pragma once

#include <concerto/transport/http_client.hpp>

namespace concerto::net {

/// Turns `request` into the one that a redirecting answer asks for. False if the answer is final:
/// its status does not redirect, or it has no Location. Headers stay with their host;
/// `carries_headers` is HttpClientOptions::redirects_carry_headers.
bool follow_redirect(HttpClientRequest& request, const HttpClientResponse& response,
                     bool carries_headers);

}  // namespace concerto::net
