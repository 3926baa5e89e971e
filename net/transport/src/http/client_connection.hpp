#pragma once

#include <list>
#include <memory>
#include <string>

#include <boost/asio/ssl/stream.hpp>

#include <concerto/base/clock.hpp>

#include "read_buffer.hpp"
#include "socket.hpp"

namespace concerto::net {

/// A connection to a server or proxy, plain or with TLS. The socket stays non-blocking.
class ClientConnection {
 public:
  using TlsStream = asio::ssl::stream<Socket&>;

  explicit ClientConnection(Executor executor) : socket_(executor) {}
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  Socket& socket() noexcept { return socket_; }
  ReadBuffer& buffer() noexcept { return buffer_; }
  /// Where request heads are put together.
  std::string& scratch() noexcept { return scratch_; }

  /// Shakes hands as a client of `host`, whose certificate must be valid and name it.
  Task<error_code> start_tls(asio::ssl::context& context, std::string host);
  /// Why the certificate was refused, empty if it was not.
  std::string certificate_problem() const;

  /// Sends all. `sent_any` becomes true once bytes may have left.
  Task<error_code> write(Outgoing outgoing, bool& sent_any);
  /// Reads into buffer(), at least one byte.
  Task<error_code> read();

  /// Whether the peer has closed or sent something unasked since the last answer.
  bool is_stale();

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
  ReadBuffer buffer_;
  std::string scratch_;
};

}  // namespace concerto::net
