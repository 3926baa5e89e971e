#pragma once

#include <list>
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "byte_stream.hpp"
#include "read_buffer.hpp"

namespace concerto::net {

/// A connection to a server or proxy, plain or with TLS.
class ClientConnection {
 public:
  explicit ClientConnection(Executor executor) : stream_(Socket(executor)) {}
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  ByteStream& stream() noexcept { return stream_; }
  Socket& socket() noexcept { return stream_.socket(); }
  ReadBuffer& buffer() noexcept { return buffer_; }
  /// Where request heads are put together.
  std::string& scratch() noexcept { return scratch_; }

  /// Shakes hands as a client of `host`, whose certificate must be valid and name it.
  Task<error_code> start_tls(asio::ssl::context& context, std::string host);

  /// Sends all. `sent_any` becomes true once bytes may have left.
  Task<error_code> write(Outgoing outgoing, bool& sent_any);
  /// Reads into buffer(), at least one byte.
  Task<error_code> read();

  /// Whether the peer has closed or sent something unasked since the last answer.
  bool is_stale() noexcept { return !buffer_.empty() || stream_.is_stale(); }

 private:
  ByteStream stream_;
  ReadBuffer buffer_;
  std::string scratch_;
};

}  // namespace concerto::net
