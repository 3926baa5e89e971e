#include "tls_session.hpp"

#include <limits>
#include <new>

#include <boost/asio/error.hpp>
#include <openssl/err.h>

#include <concerto/base/assert.hpp>

#include "read_certificate.hpp"
#include "tls_server_name.hpp"

namespace concerto::net {
namespace {

/// Tickets and new keys are messages of a few hundred bytes, and a record has 16 KiB at most. With
/// so many bytes that are no application data the peer only keeps this side busy.
constexpr std::size_t unread_bytes_max = 64u << 10;
/// Answers to messages of TLS that the peer does not read, beside records that wait to be sent.
constexpr std::size_t pending_bytes_max = 256u << 10;

/// In the format of ALPN: each name follows its length.
constexpr unsigned char alpn_http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char alpn_http_2[] = {2, 'h', '2'};

std::span<const unsigned char> name_of(Alpn alpn) noexcept {
  if (alpn == Alpn::http_2) return alpn_http_2;
  return alpn_http_1_1;
}

/// A server's session has the name of its protocol as application data.
int select_alpn(SSL* ssl, const unsigned char** selected, unsigned char* selected_bytes,
                const unsigned char* offered, unsigned offered_bytes, void*) {
  const auto* const name = static_cast<const unsigned char*>(SSL_get_app_data(ssl));
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, selected_bytes, name, name[0] + 1U, offered, offered_bytes);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *selected = found;
  return SSL_TLSEXT_ERR_OK;
}

/// A session that reads from and writes to memory.
SSL* make_session(SSL_CTX& context) {
  SSL* const ssl = SSL_new(&context);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    SSL_free(ssl);
    throw std::bad_alloc();
  }
  SSL_set_bio(ssl, in, out);  // The session owns both now.
  SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
  return ssl;
}

/// SSL_get_error looks at the thread's list of errors, which is empty nearly always. Clearing it
/// writes to all of its places.
void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

Error tls_error(std::string detail) {
  return Error{boost::system::errc::make_error_code(boost::system::errc::protocol_error),
               "TLS: " + std::move(detail)};
}

}  // namespace

void choose_alpn(SSL_CTX& context) noexcept {
  SSL_CTX_set_alpn_select_cb(&context, select_alpn, nullptr);
}

TlsSession::TlsSession(SSL_CTX& context, Alpn alpn, const std::string& host)
    : ssl_(make_session(context)) {
  const auto name = name_of(alpn);
  const bool is_set =
      expect_server(*ssl_, host) &&
      SSL_set_alpn_protos(ssl_.get(), name.data(), static_cast<unsigned>(name.size())) == 0;
  if (!is_set) throw std::bad_alloc();
  SSL_set_connect_state(ssl_.get());
  SSL_do_handshake(ssl_.get());  // Makes the first message. A failure is reported by `read`.
}

TlsSession::TlsSession(SSL_CTX& context, Alpn alpn)
    : ssl_(make_session(context)), hello_check_(HelloCheck{}) {
  SSL_set_app_data(ssl_.get(), const_cast<unsigned char*>(name_of(alpn).data()));
  SSL_set_accept_state(ssl_.get());
}

void TlsSession::put(std::string_view wire) {
  CONCERTO_ASSERT(wire.size() <= std::numeric_limits<int>::max());
  const int size = static_cast<int>(wire.size());
  check_hello(wire);
  if (BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), size) != size) throw std::bad_alloc();
  unread_bytes_ += wire.size();
}

/// OpenSSL sees only what is not refused. It takes a second ClientHello in TLS 1.3 alone; in TLS
/// 1.2 the records are encrypted from some point on.
void TlsSession::check_hello(std::string_view wire) {
  if (!hello_check_ || !refused_.empty()) return;
  if (is_open_ || SSL_version(ssl_.get()) < TLS1_3_VERSION) {
    hello_check_.reset();
  } else {
    refused_ = hello_check_->take(wire);
  }
}

void TlsSession::open() {
  is_open_ = true;
  unread_bytes_ = 0;
  // The handshake fails with a certificate that is not valid.
  if (SSL_is_server(ssl_.get()) == 0 || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
  const X509* const shown = SSL_get0_peer_certificate(ssl_.get());
  if (shown != nullptr) {
    peer_certificate_ = std::make_shared<PeerCertificate>(read_certificate(*shown));
  }
}

/// A client of TLS 1.2 may begin with a ClientHello that nobody can check, as it is encrypted.
bool TlsSession::begins_again() const noexcept {
  return is_open_ && SSL_is_server(ssl_.get()) != 0 && SSL_version(ssl_.get()) < TLS1_3_VERSION &&
         SSL_in_init(ssl_.get()) != 0;
}

/// What a call of OpenSSL means that needs bytes or has ended the handshake.
Result<> TlsSession::step(int result) {
  if (!is_open_ && SSL_is_init_finished(ssl_.get()) != 0) open();
  if (begins_again()) return tls_error("the peer begins another handshake");
  if (result == 1) return ok();
  if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) return failure(result);
  if (is_open_ && unread_bytes_ > unread_bytes_max) {
    return tls_error("the peer sends messages without application data");
  }
  if (pending_bytes() > pending_bytes_max) return tls_error("the peer does not read");
  return ok();
}

Result<> TlsSession::handshake() {
  if (!refused_.empty()) return tls_error(refused_);
  forget_errors();
  return step(SSL_do_handshake(ssl_.get()));
}

Result<std::size_t> TlsSession::read(std::span<char> clear) {
  if (!refused_.empty()) return tls_error(refused_);
  if (is_open_ && !has_input()) return std::size_t{0};
  forget_errors();
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), clear.data(), clear.size(), &count);
  CONCERTO_CHECK(step(result));
  if (count > 0) unread_bytes_ = 0;
  return count;
}

/// False if OpenSSL would only find out, at some cost, that it needs more bytes.
bool TlsSession::has_input() const noexcept {
  return SSL_pending(ssl_.get()) > 0 || BIO_ctrl_pending(SSL_get_rbio(ssl_.get())) > 0;
}

Result<> TlsSession::write(std::string_view clear) {
  forget_errors();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), clear.data(), clear.size(), &count);
  if (result == 1) return ok();
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) {
    return tls_error("a message of the peer is incomplete");
  }
  return failure(result);
}

void TlsSession::end() noexcept {
  if (SSL_is_init_finished(ssl_.get()) == 0) return;
  forget_errors();
  SSL_shutdown(ssl_.get());
}

std::size_t TlsSession::pull(std::span<char> wire) noexcept {
  const int count = BIO_read(SSL_get_wbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t TlsSession::pending_bytes() const noexcept {
  return BIO_ctrl_pending(SSL_get_wbio(ssl_.get()));
}

Error TlsSession::failure(int result) const {
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) {
    return Error{boost::asio::error::eof, "closed by the peer"};
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

}  // namespace concerto::net
