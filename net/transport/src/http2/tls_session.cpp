#include "http2/tls_session.hpp"

#include <limits>
#include <new>

#include <openssl/err.h>

#include <concerto/base/assert.hpp>

#include "tls_server_name.hpp"

namespace concerto::net::http2 {
namespace {

constexpr unsigned char alpn_http2[] = {2, 'h', '2'};

Error tls_error(std::string detail) {
  return Error{boost::system::errc::make_error_code(boost::system::errc::protocol_error),
               "TLS: " + std::move(detail)};
}

}  // namespace

TlsSession::TlsSession(SSL_CTX& context, const std::string& host) : ssl_(SSL_new(&context)) {
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (!ssl_ || !in || !out) throw std::bad_alloc();
  SSL_set_bio(ssl_.get(), in, out);  // It owns both now.
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  const bool is_set = expect_server(*ssl_, host) &&
                      SSL_set_alpn_protos(ssl_.get(), alpn_http2, sizeof alpn_http2) == 0;
  if (!is_set) throw std::bad_alloc();
  SSL_set_connect_state(ssl_.get());
  SSL_do_handshake(ssl_.get());  // The first message; what fails here fails in `read` too.
}

void TlsSession::put(std::string_view wire) {
  CONCERTO_ASSERT(wire.size() <= std::numeric_limits<int>::max());
  const int size = static_cast<int>(wire.size());
  if (BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), size) != size) throw std::bad_alloc();
}

Result<std::size_t> TlsSession::read(std::span<char> clear) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), clear.data(), clear.size(), &count);
  if (result == 1) return count;
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return std::size_t{0};
  return failure(result);
}

Result<> TlsSession::write(std::string_view clear) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), clear.data(), clear.size(), &count);
  if (result == 1) return ok();
  return failure(result);
}

std::size_t TlsSession::pull(std::span<char> wire) noexcept {
  const int count = BIO_read(SSL_get_wbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool TlsSession::wants_write() const noexcept {
  return BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) > 0;
}

Error TlsSession::failure(int result) const {
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) {
    return Error{boost::system::errc::make_error_code(boost::system::errc::connection_reset),
                 "closed by the peer"};
  }
  const unsigned long number = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(number);
  std::string detail = reason ? reason : "it failed";
  if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
    detail.append(": ").append(X509_verify_cert_error_string(verified));
  }
  if (ERR_GET_REASON(number) == SSL_R_WRONG_VERSION_NUMBER) {
    detail.append(": does it speak TLS?");
  }
  return tls_error(std::move(detail));
}

}  // namespace concerto::net::http2
