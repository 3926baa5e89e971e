#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/descriptor_shortage.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

/// Accepts connections on one address and gives each to the server with the fewest.
///
/// Lives on one shard; the servers may live on others and must outlive the listener.
class GrpcListener {
 public:
  /// `shortage` hears of connections that were closed for want of a descriptor, if it is given.
  GrpcListener(Executor executor, Timers& timers, std::vector<GrpcServer*> servers,
               DescriptorShortage* shortage = nullptr);
  ~GrpcListener();
  GrpcListener(const GrpcListener&) = delete;
  GrpcListener& operator=(const GrpcListener&) = delete;

  /// Starts to listen; port 0 takes a free one. The error names the address.
  [[nodiscard]] Result<> listen(const boost::asio::ip::tcp::endpoint& address);

  /// Where it listens.
  boost::asio::ip::tcp::endpoint address() const;

  /// Stops listening; connections go on.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace concerto::net
