#include <string_view>

#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_tls.hpp>

#include "tls_session.hpp"

namespace concerto::net {
namespace {

namespace ssl = boost::asio::ssl;

Error not_loaded(const std::string& what, const std::string& file, const error_code& error) {
  return make_error(HttpErrc::tls_failed,
                    "cannot load " + what + " from '" + file + "': " + error.message());
}

Result<> load_trusted(ssl::context& context, const std::string& file) {
  error_code error;
  if (file.empty()) {
    context.set_default_verify_paths(error);
    if (error) return make_error(HttpErrc::tls_failed, "TLS set-up: " + error.message());
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
  return ok();
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_tls_client_context(const TlsClientFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (error) return make_error(HttpErrc::tls_failed, "TLS set-up: " + error.message());
  CONCERTO_CHECK(load_trusted(*context, files.ca));
  const bool shows_none = files.certificate.empty() && files.key.empty();
  if (!shows_none) CONCERTO_CHECK(load_own(*context, files.certificate, files.key));
  return context;
}

Result<std::shared_ptr<ssl::context>> make_tls_server_context(const TlsServerFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  choose_alpn(*raw);
  // Names the sessions that may be resumed with this context. Without a name, clients that show
  // certificates could not resume any.
  constexpr std::string_view kind = "concerto";
  SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>(kind.data()),
                                 static_cast<unsigned>(kind.size()));
  CONCERTO_CHECK(load_own(*context, files.certificate, files.key));
  if (files.client_ca.empty()) return context;
  error_code error;
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return make_error(HttpErrc::tls_failed, "TLS set-up: " + error.message());
  CONCERTO_CHECK(load_trusted(*context, files.client_ca));
  return context;
}

}  // namespace concerto::net
