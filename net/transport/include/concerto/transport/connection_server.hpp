#pragma once

#include <cstddef>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>

namespace concerto::net {

/// A connected, non-blocking socket that no shard owns yet. Closes it when nobody takes it.
class AcceptedSocket {
 public:
  AcceptedSocket(int descriptor, boost::asio::ip::tcp::endpoint peer) noexcept;
  AcceptedSocket(AcceptedSocket&& other) noexcept;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket();

  const boost::asio::ip::tcp::endpoint& peer() const noexcept { return peer_; }
  int descriptor() const noexcept { return descriptor_; }
  int release() noexcept;

 private:
  int descriptor_;
  boost::asio::ip::tcp::endpoint peer_;
};

/// One shard's server of whatever protocol. Thread-safe but for `drain`.
class ConnectionServer {
 public:
  virtual ~ConnectionServer() = default;

  /// Takes a connection over. False, and the socket stays the caller's, when there is no room for
  /// it or the server drains. An idle connection is closed then, so that connections that nobody
  /// uses do not keep out others for long.
  [[nodiscard]] virtual bool offer(AcceptedSocket& socket) = 0;
  /// Closes an idle connection soon, if there is one: a server with the same budget found no room.
  virtual void ask_for_room() = 0;
  /// Takes over a connection that there is no room for, in order to tell its client so. False, and
  /// the socket stays the caller's, when the server cannot do even that.
  [[nodiscard]] virtual bool turn_away(AcceptedSocket& socket) = 0;
  /// Tells the client of a socket that will be closed at once that there is no room, if there is a
  /// way to say it without waiting.
  virtual void refuse(int descriptor) const noexcept = 0;
  /// Connections that were taken over and are not closed yet.
  virtual std::size_t connection_count() const noexcept = 0;

  /// Takes no more connections, lets what is in work end, and ends what is left at `deadline`.
  /// Returns when nothing of it runs any more. On the server's own thread.
  virtual Task<void> drain(SteadyTime deadline) = 0;

 protected:
  ConnectionServer() = default;
  ConnectionServer(const ConnectionServer&) = default;
  ConnectionServer& operator=(const ConnectionServer&) = default;
};

}  // namespace concerto::net
