#pragma once

#include <functional>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/descriptor_shortage.hpp>

namespace concerto::net {

/// Accepts connections from a listening socket. One descriptor is kept in reserve. When the process
/// has no other descriptor left, the reserve is used to accept one connection at a time, refuse it
/// and close it. So clients and probes get an answer, and do not wait until other connections end.
class AcceptQueue {
 public:
  /// `shortage` may be null.
  explicit AcceptQueue(DescriptorShortage* shortage);
  ~AcceptQueue();
  AcceptQueue(const AcceptQueue&) = delete;
  AcceptQueue& operator=(const AcceptQueue&) = delete;

  /// Calls `take` for the connections that wait. A connection for which no descriptor is left goes
  /// to `refuse`, and is closed afterwards. When many wait, some are left for the next call. False
  /// when not even the reserve is available: try again after a pause.
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
