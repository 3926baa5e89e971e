#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_tls.hpp>

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

Result<> load_own(ssl::context& context, const TlsClientFiles& files) {
  if (files.certificate.empty() && files.key.empty()) return ok();
  if (files.certificate.empty() || files.key.empty()) {
    return make_error(HttpErrc::tls_failed, "a client's certificate and its key go together");
  }
  error_code error;
  // OpenSSL would ask on the terminal for the words that a key is locked with.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                error);
  context.use_certificate_chain_file(files.certificate, error);
  if (error) return not_loaded("a certificate", files.certificate, error);
  context.use_private_key_file(files.key, ssl::context::pem, error);
  if (error) return not_loaded("the key of '" + files.certificate + "'", files.key, error);
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
  CONCERTO_CHECK(load_own(*context, files));
  return context;
}

}  // namespace concerto::net
