#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_set>

#include <concerto/base/timers.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/proxy_port.hpp>

namespace concerto::net {

/// Reads the headers with which proxies begin their connections (ProxyPort), and passes the
/// connections on with the address of the client as their peer. Nothing beyond a header is read.
class ProxyGreetings : public std::enable_shared_from_this<ProxyGreetings> {
 public:
  /// Connections that wait for their header at one time; more are closed. Proxies send the header
  /// first and at once, so this is for proxies that have a fault.
  static constexpr std::size_t waiting_max = 1'024;

  using Take = std::function<void(AcceptedSocket)>;

  ProxyGreetings(Executor executor, Timers& timers, ProxyPort port, Take take);
  ~ProxyGreetings();
  ProxyGreetings(const ProxyGreetings&) = delete;
  ProxyGreetings& operator=(const ProxyGreetings&) = delete;

  /// Whether connections of this peer begin with a header.
  bool are_from(const boost::asio::ip::tcp::endpoint& peer) const noexcept;
  /// Calls `take` with the connection when its header has come. Closes it if it has none.
  void receive(AcceptedSocket socket);
  /// Closes the connections that wait.
  void close();

 private:
  struct Greeting;

  bool advance(Greeting& greeting);
  void wait(std::shared_ptr<Greeting> greeting);
  void refuse(const boost::asio::ip::tcp::endpoint& proxy, const std::string& why);

  const Executor executor_;
  Timers& timers_;
  const ProxyPort port_;
  const Take take_;
  std::unordered_set<std::shared_ptr<Greeting>> waiting_;
  std::size_t unreported_ = 0;
  SteadyTime next_line_ = SteadyTime::min();
};

}  // namespace concerto::net
