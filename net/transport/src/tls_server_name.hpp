#pragma once

#include <string>

#include <openssl/ssl.h>

namespace concerto::net {

/// Before a client's handshake: the server is told this name (if it is no IP address), and its
/// certificate has to name it. False when memory is short.
bool expect_server(SSL& ssl, const std::string& host);

}  // namespace concerto::net
