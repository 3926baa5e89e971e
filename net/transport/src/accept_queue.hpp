#pragma once

#include <functional>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/descriptor_shortage.hpp>

namespace concerto::net {

/// Takes connections from a listening socket. A descriptor is kept in reserve: when the process
/// has no other left, it makes room for one connection at a time, which is refused and closed, so
/// that clients and probes are answered instead of waiting until others leave.
class AcceptQueue {
 public:
  /// `shortage` may be null.
  explicit AcceptQueue(DescriptorShortage* shortage);
  ~AcceptQueue();
  AcceptQueue(const AcceptQueue&) = delete;
  AcceptQueue& operator=(const AcceptQueue&) = delete;

  /// Hands the connections that wait to `take`. Those
  /// for which there is no descriptor go to `refuse` and are closed after it. Of many the rest is
  /// left for the next call. False when not even the reserve can be had: try again after a pause.
  bool drain(int listening, const std::function<void(AcceptedSocket)>& take,
             const std::function<void(int)>& refuse);

 private:
  enum class Found { connection, nothing, no_descriptor, failure };
  struct Connection {
    int descriptor = -1;
    asio::ip::tcp::endpoint peer;
  };

  static Found accept(int listening, Connection& connection);
  Found refuse_one(int listening, const std::function<void(int)>& refuse);
  void restore();

  DescriptorShortage* const shortage_;
  int reserve_ = -1;
};

}  // namespace concerto::net
