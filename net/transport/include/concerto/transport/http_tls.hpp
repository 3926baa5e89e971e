#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// PEM files of a TLS client; each name may be empty.
struct TlsClientFiles {
  /// The certificates that servers are verified with, in place of the system's certificates (at
  /// OpenSSL's default paths, or at SSL_CERT_FILE and SSL_CERT_DIR).
  std::string ca;
  std::string certificate;  ///< the client's own, with the chain behind it
  std::string key;          ///< of that certificate
};

/// Whether clients have to show a certificate. One that is shown is always verified.
enum class ClientCertificates : std::uint8_t { required, optional };

/// PEM files of a TLS server.
struct TlsServerFiles {
  std::string certificate;  ///< the server's, with the chain behind it
  std::string key;          ///< of that certificate
  /// Clients are asked for a certificate that these certificates certify. Empty: they are not
  /// asked.
  std::string client_ca{};
  ClientCertificates client_certificates = ClientCertificates::required;
  /// Lists of revoked certificates (CRLs). There has to be a list of each authority in the chain of
  /// a client's certificate, and none may be out of date. Empty: nothing is known to be revoked.
  std::string client_crl{};
};

/// Makes a context for HTTP and gRPC servers: TLS 1.3, and TLS 1.2 with ciphers that have forward
/// secrecy and authentication, with ALPN for the server's protocol. The function reads files, so
/// call it at the start. All shards and both protocols may share the context. Errors
/// (HttpErrc::tls_failed) name the file.
///
/// Where clients are asked for a certificate, no session is resumed: each connection verifies it.
/// Elsewhere a session is resumed only with the context that it began with.
CONCERTO_EXPORT Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_server_context(
    const TlsServerFiles& files);

/// Makes a context for clients, with the certificates that servers are verified with and the
/// client's own certificate: versions and ciphers are those of servers. The function reads files,
/// so call it at the start. All shards may share the context. Errors (HttpErrc::tls_failed) name
/// the file.
CONCERTO_EXPORT Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_client_context(
    const TlsClientFiles& files = {});

}  // namespace concerto::net
