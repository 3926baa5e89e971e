#include "client_connection.hpp"

#include <cerrno>

#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include "tls_server_name.hpp"

namespace concerto::net {

Task<error_code> ClientConnection::start_tls(asio::ssl::context& context, std::string host) {
  tls_ = std::make_unique<TlsStream>(socket_, context);
  if (!expect_server(*tls_->native_handle(), host)) co_return asio::error::no_memory;
  const auto [failure] = co_await tls_->async_handshake(TlsStream::client, tuple_task);
  co_return failure;
}

std::string ClientConnection::certificate_problem() const {
  if (!tls_) return {};
  const long result = SSL_get_verify_result(tls_->native_handle());
  return result == X509_V_OK ? std::string{} : X509_verify_cert_error_string(result);
}

Task<error_code> ClientConnection::write(Outgoing outgoing, bool& sent_any) {
  if (tls_) {
    sent_any = true;
    // One buffer makes one record, and the body is not sent without its head.
    std::string joined{outgoing.head};
    joined.append(outgoing.body);
    const auto [error, bytes] = co_await asio::async_write(*tls_, asio::buffer(joined), tuple_task);
    co_return error;
  }
  const std::size_t all = outgoing.head.size() + outgoing.body.size();
  const error_code error = write_now(socket_, outgoing);
  sent_any = outgoing.head.size() + outgoing.body.size() < all;
  if (error != asio::error::would_block) co_return error;
  sent_any = true;
  co_return co_await write_all(socket_, outgoing);
}

Task<error_code> ClientConnection::read() {
  const auto space = buffer_.prepare();
  if (tls_) {
    const auto [error, bytes] = co_await tls_->async_read_some(asio::buffer(space), tuple_task);
    buffer_.commit(bytes);
    co_return error;
  }
  const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(space), tuple_task);
  buffer_.commit(bytes);
  co_return error;
}

bool ClientConnection::is_stale() {
  if (!buffer_.empty()) return true;
  char byte = 0;
  const auto received =
      ::recv(socket_.native_handle(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return received >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace concerto::net
