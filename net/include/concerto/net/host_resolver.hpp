#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <concerto/core/async.hpp>

namespace concerto::net {

using HostAddressList = std::vector<asio::ip::address>;

/// Finds the IP addresses of a host name. One per shard; used on that shard only.
class HostResolver {
 public:
  virtual ~HostResolver() = default;

  /// At least one address, in the order of preference. The error names the host. A cancelled
  /// caller gets its error soon, whatever becomes of the look-up.
  virtual Async<HostAddressList> resolve(std::string host) = 0;
};

/// Threads for the system's resolver, which blocks its caller. Shared by all shards.
///
/// A few threads, so that one name server that does not answer holds up some look-ups but not
/// all. Destroy it when nobody resolves any more, and before the shards' io_contexts: a look-up
/// whose caller has gone still answers to its shard.
class DnsWorkers {
 public:
  static constexpr std::size_t threads_max = 4;
  static constexpr std::size_t queued_max = 1'000;

  DnsWorkers() = default;
  /// Drops what is queued and waits for the look-ups that run.
  ~DnsWorkers();
  DnsWorkers(const DnsWorkers&) = delete;
  DnsWorkers& operator=(const DnsWorkers&) = delete;

  using Done = std::function<void(Result<HostAddressList>)>;

  /// Calls `done` on a worker's thread, or here if too many are queued. From any thread.
  void look_up(std::string host, Done done);

 private:
  struct Request {
    std::string host;
    Done done;
  };

  void add_thread();
  void work();

  asio::io_context io_;  ///< made here: a worker may begin when no descriptor is left
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> queue_;
  std::vector<std::thread> threads_;
  std::size_t idle_count_ = 0;
  bool stopping_ = false;
};

/// The system's resolver (hosts file, DNS) by way of DnsWorkers.
class SystemHostResolver final : public HostResolver {
 public:
  /// `workers` must outlive this object.
  SystemHostResolver(Executor executor, DnsWorkers& workers)
      : executor_(std::move(executor)), workers_(workers) {}

  Async<HostAddressList> resolve(std::string host) override;

 private:
  Executor executor_;
  DnsWorkers& workers_;
};

}  // namespace concerto::net
