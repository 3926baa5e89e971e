#include "client_connection.hpp"

#include "tls_session.hpp"

namespace concerto::net {

Task<error_code> ClientConnection::start_tls(asio::ssl::context& context, std::string host) {
  stream_.start_tls(std::make_unique<TlsSession>(*context.native_handle(), Alpn::http_1_1, host));
  const error_code failure = co_await stream_.handshake();
  co_return failure;
}

Task<error_code> ClientConnection::write(Outgoing outgoing, bool& sent_any) {
  const std::size_t all = outgoing.head.size() + outgoing.body.size();
  const error_code error = stream_.write_now(outgoing);
  sent_any = stream_.has_tls() || outgoing.head.size() + outgoing.body.size() < all;
  if (error != asio::error::would_block) co_return error;
  sent_any = true;
  co_return co_await stream_.write_all(outgoing);
}

Task<error_code> ClientConnection::read() {
  const auto [error, bytes] = co_await stream_.read(buffer_.prepare());
  buffer_.commit(bytes);
  co_return error;
}

}  // namespace concerto::net
