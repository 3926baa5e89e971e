#include <string>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <concerto/base/tls_rules.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_tls.hpp>

#include "tls_session.hpp"

namespace concerto::net {
namespace {

namespace ssl = boost::asio::ssl;

/// For so long a session may be resumed, and OpenSSL may keep it in memory.
constexpr long resumption_seconds = 300;

Error set_up_error(const std::string& reason) {
  return make_error(HttpErrc::tls_failed, "TLS set-up: " + reason);
}

Error not_loaded(const std::string& what, const std::string& file, const error_code& error) {
  return make_error(HttpErrc::tls_failed,
                    "cannot load " + what + " from '" + file + "': " + error.message());
}

/// Of both sides.
Result<> choose_protocols(SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(&context, TLS1_3_VERSION);
  SSL_CTX_set_max_cert_list(&context, peer_certificates_bytes_max);
  if (SSL_CTX_set_cipher_list(&context, ciphers_of_tls_1_2) == 1) return ok();
  return set_up_error("no such cipher");
}

error_code last_ssl_error() noexcept {
  return {static_cast<int>(ERR_get_error()), boost::asio::error::get_ssl_category()};
}

Result<> load_trusted(ssl::context& context, const std::string& file) {
  error_code error;
  if (file.empty()) {
    context.set_default_verify_paths(error);
    if (error) return set_up_error(error.message());
    return ok();
  }
  context.load_verify_file(file, error);
  if (error) return not_loaded("certificates", file, error);
  return ok();
}

Result<> load_own(ssl::context& context, const std::string& certificate, const std::string& key) {
  if (certificate.empty() || key.empty()) {
    return make_error(HttpErrc::tls_failed, "a certificate and its key go together");
  }
  error_code error;
  // Without this, OpenSSL would ask on the terminal for the password of an encrypted key.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                error);
  context.use_certificate_chain_file(certificate, error);
  if (error) return not_loaded("a certificate", certificate, error);
  context.use_private_key_file(key, ssl::context::pem, error);
  if (error) return not_loaded("the key of '" + certificate + "'", key, error);
  // OpenSSL itself compares only keys of the same kind.
  if (SSL_CTX_check_private_key(context.native_handle()) == 1) return ok();
  return not_loaded("the key of '" + certificate + "'", key, last_ssl_error());
}

Result<> load_revoked(SSL_CTX& context, const std::string& file) {
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  ERR_clear_error();
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) <= 0) {
    return not_loaded("revoked certificates", file, last_ssl_error());
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return ok();
}

/// A session that goes on does not verify the certificate again, and in TLS 1.3 each one gives a
/// ticket for the next: a certificate that has expired meanwhile could be used for ever.
void forbid_resumption(SSL_CTX& context) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(&context, 0);
}

Result<> ask_for_certificates(ssl::context& context, const TlsServerFiles& files) {
  const bool is_required = files.client_certificates == ClientCertificates::required;
  const ssl::verify_mode mode =
      is_required ? ssl::verify_peer | ssl::verify_fail_if_no_peer_cert : ssl::verify_peer;
  error_code error;
  context.set_verify_mode(mode, error);
  if (error) return set_up_error(error.message());
  forbid_resumption(*context.native_handle());
  CONCERTO_CHECK(load_trusted(context, files.client_ca));
  return files.client_crl.empty() ? ok() : load_revoked(*context.native_handle(), files.client_crl);
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_tls_client_context(const TlsClientFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  CONCERTO_CHECK(choose_protocols(*context->native_handle()));
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (error) return set_up_error(error.message());
  CONCERTO_CHECK(load_trusted(*context, files.ca));
  const bool shows_none = files.certificate.empty() && files.key.empty();
  if (!shows_none) CONCERTO_CHECK(load_own(*context, files.certificate, files.key));
  return context;
}

Result<std::shared_ptr<ssl::context>> make_tls_server_context(const TlsServerFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  CONCERTO_CHECK(choose_protocols(*raw));
  choose_alpn(*raw);
  SSL_CTX_set_timeout(raw, resumption_seconds);
  // The file has the chain; otherwise each handshake would look for one among the authorities of
  // clients.
  SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN);
  CONCERTO_CHECK(load_own(*context, files.certificate, files.key));
  if (!files.client_ca.empty()) CONCERTO_CHECK(ask_for_certificates(*context, files));
  return context;
}

}  // namespace concerto::net
