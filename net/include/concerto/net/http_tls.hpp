#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <concerto/core/error.hpp>

namespace concerto::net {

/// What https clients verify servers with: TLS 1.2 or later, the system's certificates (OpenSSL's
/// default paths; SSL_CERT_FILE and SSL_CERT_DIR replace them) and those of `extra_ca_file`, a PEM
/// file, unless it is empty. Reads files: call it at start. The context may serve all shards.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_client_context(
    const std::string& extra_ca_file = {});

}  // namespace concerto::net
