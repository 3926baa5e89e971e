#include "tls_pair.hpp"

#include <array>

#include <openssl/x509.h>

#include <concerto/base/assert.hpp>

namespace concerto::bench {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

/// Gives the server a certificate that it has signed itself.
void certify(SSL_CTX& context) {
  constexpr long valid_seconds = 3600;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&X509_free)> own{X509_new(), X509_free};
  X509_gmtime_adj(X509_getm_notBefore(own.get()), -valid_seconds);
  X509_gmtime_adj(X509_getm_notAfter(own.get()), valid_seconds);
  X509_set_pubkey(own.get(), key.get());
  X509_sign(own.get(), key.get(), EVP_sha256());
  CONCERTO_ASSERT(SSL_CTX_use_certificate(&context, own.get()) == 1);
  CONCERTO_ASSERT(SSL_CTX_use_PrivateKey(&context, key.get()) == 1);
}

}  // namespace

void carry(net::TlsSession& from, net::TlsSession& to) {
  std::array<char, std::size_t{20} << 10> wire;  // NOLINT: filled by pull
  while (const std::size_t count = from.pull(wire)) to.put({wire.data(), count});
}

TlsPair::TlsPair() {
  const Context of_client{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  const Context of_server{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  certify(*of_server);
  net::choose_alpn(*of_server);
  client_.emplace(*of_client, net::Alpn::http_2, "bank.example");
  server_.emplace(*of_server, net::Alpn::http_2);
  std::array<char, 100> nothing;  // NOLINT: filled by read
  constexpr int rounds = 3;
  for (int i = 0; i < rounds; ++i) {
    carry(*client_, *server_);
    CONCERTO_ASSERT(server_->read(nothing));
    carry(*server_, *client_);
    CONCERTO_ASSERT(client_->read(nothing));
  }
  CONCERTO_ASSERT(client_->is_open() && server_->is_open());
}

}  // namespace concerto::bench
