#pragma once

#include <string>

#include <openssl/ssl.h>

namespace concerto::net {

/// Call it before a client's handshake. The server's certificate has to name `host`; if `host` is
/// not an IP address, the server is told the name. False if memory is short.
bool expect_server(SSL& ssl, const std::string& host);

}  // namespace concerto::net
