#pragma once

#include <list>
#include <memory>
#include <string>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include "byte_stream.hpp"
#include "read_buffer.hpp"

namespace concerto::net {

class TargetPolicy;

/// A connection to a server or proxy, plain or with TLS.
class ClientConnection {
 public:
  explicit ClientConnection(Executor executor) : stream_(Socket(executor)) {}
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  ByteStream& stream() noexcept { return stream_; }
  Socket& socket() noexcept { return stream_.socket(); }
  ReadBuffer& buffer() noexcept { return buffer_; }
  /// Memory in which the heads of requests are written.
  std::string& scratch() noexcept { return scratch_; }

  /// Performs the TLS handshake as a client. The server's certificate must be valid for `host`.
  Task<error_code> start_tls(asio::ssl::context& context, std::string host);

  /// Sends everything. `sent_any` becomes true once bytes may have been sent.
  Task<error_code> write(Outgoing outgoing, bool& sent_any);
  /// Reads at least one byte into buffer().
  Task<error_code> read();

  /// True if, since the last answer, the peer has closed the connection or sent something.
  bool is_stale() noexcept { return !buffer_.empty() || stream_.is_stale(); }

  asio::ip::address address;  ///< of the peer, or the proxy
  /// The policy that allows this address; null without one, and for a proxy.
  const TargetPolicy* allowed_by = nullptr;

 private:
  ByteStream stream_;
  ReadBuffer buffer_;
  std::string scratch_;
};

}  // namespace concerto::net
