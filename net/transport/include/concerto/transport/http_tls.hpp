#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// PEM files of a TLS client; each name may be empty.
struct TlsClientFiles {
  /// The certificates that servers are verified with, in place of the system's (OpenSSL's default
  /// paths; SSL_CERT_FILE and SSL_CERT_DIR replace them).
  std::string ca;
  std::string certificate;  ///< the client's own, with the chain behind it
  std::string key;          ///< of that certificate
};

/// PEM files of a TLS server.
struct TlsServerFiles {
  std::string certificate;  ///< the server's, with the chain behind it
  std::string key;          ///< of that certificate
  /// Clients must show a certificate that these certify. Empty: nobody has to show one.
  std::string client_ca;
};

/// What servers of HTTP and gRPC speak TLS with: TLS 1.2 or later, and by ALPN the server's own
/// protocol. Reads files: call it at start. The context may serve all shards and both protocols.
/// Errors (HttpErrc::tls_failed) name the file.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_server_context(
    const TlsServerFiles& files);

/// What clients verify servers with, and show them: TLS 1.2 or later. Reads files: call it at
/// start. The context may serve all shards. Errors (HttpErrc::tls_failed) name the file.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_client_context(
    const TlsClientFiles& files = {});

}  // namespace concerto::net
