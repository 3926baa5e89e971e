#pragma once

#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include <concerto/base/async.hpp>

namespace concerto::persist {

/// Looks hosts up on a thread of its own, because the system's resolver blocks its caller, and the
/// clients of the databases would call it on the store's thread. The destructor waits for look-ups.
class HostAddresses {
 public:
  /// The coroutines of `of` run on this executor.
  explicit HostAddresses(Executor executor) : executor_(std::move(executor)) {}

  /// The addresses of a host in the order of preference, at least one. An address, or the path of a
  /// socket, is itself its only one. Error not_now names the host.
  Async<std::vector<std::string>> of(std::string host);

 private:
  Executor executor_;
  asio::thread_pool thread_{1};
};

}  // namespace concerto::persist
