#pragma once

#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/descriptor_shortage.hpp>
#include <concerto/transport/proxy_port.hpp>

namespace concerto::net {

/// A socket that is bound to its address and listens. Connections wait in the socket's queue until
/// a listener takes the socket over. The object needs no thread and no io_context.
class CONCERTO_EXPORT ListeningSocket {
 public:
  /// Holds no socket.
  ListeningSocket() = default;
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  /// Binds and listens. Port 0 takes a free port. The unspecified address of IPv6 includes IPv4.
  /// The error names the address.
  [[nodiscard]] static Result<ListeningSocket> open(const asio::ip::tcp::endpoint& address);

  bool is_open() const noexcept { return descriptor_ >= 0; }
  /// The protocol of the socket's address.
  const asio::ip::tcp& protocol() const noexcept { return protocol_; }
  int release() noexcept;

 private:
  int descriptor_ = -1;
  asio::ip::tcp protocol_ = asio::ip::tcp::v4();
};

/// Accepts connections on one address and gives each connection to the server that has the fewest.
/// If all servers are full, or the process has no descriptor left, the client is told so, if the
/// protocol allows it, and the connection is closed.
///
/// Use the listener on one shard. The servers may be on other shards and must outlive the listener.
/// Close the listener before the servers drain.
class CONCERTO_EXPORT Listener {
 public:
  /// `shortage`, if given, is told about connections for which there was no descriptor.
  Listener(Executor executor, Timers& timers, std::vector<ConnectionServer*> servers,
           DescriptorShortage* shortage = nullptr);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Which connections begin with a header of a proxy. Call it before `listen`.
  void expect_proxies(ProxyPort port);
  /// Limits the connections of each client. Call it before `listen`.
  void limit_clients(std::shared_ptr<ClientConnections> clients);

  /// Binds, listens and accepts from now on. Port 0 takes a free port. The error names the address.
  [[nodiscard]] Result<> listen(const asio::ip::tcp::endpoint& address);
  /// Accepts the connections of this socket from now on.
  [[nodiscard]] Result<> listen(ListeningSocket socket);

  /// The address on which the listener listens.
  asio::ip::tcp::endpoint address() const;

  /// Stops listening. Accepted connections go on.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace concerto::net
