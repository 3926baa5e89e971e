#pragma once

#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/descriptor_shortage.hpp>

namespace concerto::net {

/// A socket that is bound to its address and listens. Connections wait in it until a listener takes
/// it over. It needs no thread and no io_context.
class ListeningSocket {
 public:
  /// Holds nothing.
  ListeningSocket() = default;
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  /// Port 0 takes a free one. The unspecified address of IPv6 means IPv4 too. The error names the
  /// address.
  [[nodiscard]] static Result<ListeningSocket> open(const asio::ip::tcp::endpoint& address);

  bool is_open() const noexcept { return descriptor_ >= 0; }
  /// The protocol of its address.
  const asio::ip::tcp& protocol() const noexcept { return protocol_; }
  int release() noexcept;

 private:
  int descriptor_ = -1;
  asio::ip::tcp protocol_ = asio::ip::tcp::v4();
};

/// Accepts connections on one address and gives each to the server that has the fewest. When all
/// are full, or the process has no descriptor left, the client is told so, as far as the protocol
/// has words for it, and the connection closed.
///
/// Lives on one shard; the servers may live on others and must outlive the listener. Close it
/// before the servers drain.
class Listener {
 public:
  /// `shortage` hears of connections for which there was no descriptor, if it is given.
  Listener(Executor executor, Timers& timers, std::vector<ConnectionServer*> servers,
           DescriptorShortage* shortage = nullptr);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds, listens and accepts from now on; port 0 takes a free one. The error names the address.
  [[nodiscard]] Result<> listen(const asio::ip::tcp::endpoint& address);
  /// Accepts from now on what this socket has.
  [[nodiscard]] Result<> listen(ListeningSocket socket);

  /// Where it listens.
  asio::ip::tcp::endpoint address() const;

  /// Stops listening; connections go on.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace concerto::net
