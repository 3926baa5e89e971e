#pragma once

#include <cstddef>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/transport/client_connections.hpp>

namespace concerto::net {

/// A connected, non-blocking socket that no shard owns yet. The destructor closes the socket if
/// nobody has taken it.
class CONCERTO_EXPORT AcceptedSocket {
 public:
  AcceptedSocket(int descriptor, boost::asio::ip::tcp::endpoint peer) noexcept;
  AcceptedSocket(AcceptedSocket&& other) noexcept;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket();

  /// The client. If a proxy has said who it is (ProxyPort), not the other end of the connection.
  const boost::asio::ip::tcp::endpoint& peer() const noexcept { return peer_; }
  void set_peer(const boost::asio::ip::tcp::endpoint& peer) noexcept { peer_ = peer; }
  int descriptor() const noexcept { return descriptor_; }
  int release() noexcept;

  /// The connection's place among those of its client. Whoever takes the socket over keeps it until
  /// the connection ends.
  ClientPlace& place() noexcept { return place_; }

 private:
  int descriptor_;
  boost::asio::ip::tcp::endpoint peer_;
  ClientPlace place_;
};

/// The server of one shard, for HTTP or gRPC. Thread-safe except for `drain`.
class CONCERTO_EXPORT ConnectionServer {
 public:
  virtual ~ConnectionServer() = default;

  /// Takes over a connection. If there is no room or the server drains, returns false, and the
  /// socket stays with the caller. An idle connection is then closed, so that unused connections do
  /// not keep others out for long.
  [[nodiscard]] virtual bool offer(AcceptedSocket& socket) = 0;
  /// Closes an idle connection soon, if there is one. Called when a server with the same budget has
  /// no room.
  virtual void ask_for_room() = 0;
  /// Takes over a connection for which there is no room, to tell its client so. If the server
  /// cannot do that either, returns false, and the socket stays with the caller.
  [[nodiscard]] virtual bool turn_away(AcceptedSocket& socket) = 0;
  /// Tells the client that there is no room, if that is possible without waiting. The socket will
  /// be closed at once.
  virtual void refuse(int descriptor) const noexcept = 0;
  /// Number of connections that were taken over and are still open.
  virtual std::size_t connection_count() const noexcept = 0;

  /// Accepts no more connections, lets running requests end, and ends the remaining ones at
  /// `deadline`. Returns when no request runs any more. Call it on the server's own thread.
  virtual Task<void> drain(SteadyTime deadline) = 0;

 protected:
  ConnectionServer() = default;
  ConnectionServer(const ConnectionServer&) = default;
  ConnectionServer& operator=(const ConnectionServer&) = default;
};

}  // namespace concerto::net
