#include "tls_server_name.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/x509v3.h>

namespace concerto::net {

bool expect_server(SSL& ssl, const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  if (!no_address) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), host.c_str()) == 1;
  }
  return SSL_set1_host(&ssl, host.c_str()) == 1 &&
         SSL_set_tlsext_host_name(&ssl, host.c_str()) == 1;
}

}  // namespace concerto::net
