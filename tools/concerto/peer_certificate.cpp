#include "peer_certificate.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <openssl/ssl.h>

namespace concerto::tools {
namespace {

/// Asio has the application data of a context for itself, so this is in a place of its own.
int place_in_context() {
  static const int place = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return place;
}

WallTime end_of_certificate(const X509* certificate) {
  std::tm parts{};
  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts);
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

PeerCertificate::PeerCertificate(std::shared_ptr<boost::asio::ssl::context> tls)
    : tls_(std::move(tls)) {
  SSL_CTX_set_ex_data(tls_->native_handle(), place_in_context(), this);
  SSL_CTX_set_info_callback(tls_->native_handle(), &PeerCertificate::note);
}

PeerCertificate::~PeerCertificate() {
  SSL_CTX_set_info_callback(tls_->native_handle(), nullptr);
}

void PeerCertificate::note(const SSL* connection, int where, int /*result*/) {
  if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
  auto* const self = static_cast<PeerCertificate*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), place_in_context()));
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(connection);
  if (sk_X509_num(chain) > 0) self->shown_.reset();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const WallTime end = end_of_certificate(sk_X509_value(chain, i));
    self->shown_ = self->shown_ ? std::min(*self->shown_, end) : end;
  }
}

std::optional<WallTime> PeerCertificate::own() const {
  const X509* const own = SSL_CTX_get0_certificate(tls_->native_handle());
  if (own == nullptr) return std::nullopt;
  return end_of_certificate(own);
}

}  // namespace concerto::tools
