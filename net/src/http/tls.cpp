#include <concerto/net/http_error.hpp>
#include <concerto/net/http_tls.hpp>

namespace concerto::net {

Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_client_context(
    const std::string& extra_ca_file) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (!error) context->set_default_verify_paths(error);
  if (error) return make_error(HttpErrc::tls_failed, "TLS set-up: " + error.message());
  if (extra_ca_file.empty()) return context;
  context->load_verify_file(extra_ca_file, error);
  if (error) {
    return make_error(HttpErrc::tls_failed,
                      "cannot load certificates from " + extra_ca_file + ": " + error.message());
  }
  return context;
}

}  // namespace concerto::net
