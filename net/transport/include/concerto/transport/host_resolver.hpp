#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

using HostAddressList = std::vector<asio::ip::address>;

/// With this object, the caller of a look-up tells the resolver that the result is no longer
/// needed. Used on one shard.
class CONCERTO_EXPORT LookupInterest {
 public:
  void lose() {
    lost_ = true;
    if (on_lost_) on_lost_();
  }
  /// For the resolver: sets the function to call when interest is lost. It is called at once if
  /// interest is already lost.
  void on_lost(std::function<void()> handler) {
    on_lost_ = std::move(handler);
    if (lost_ && on_lost_) on_lost_();
  }

 private:
  std::function<void()> on_lost_;
  bool lost_ = false;
};

/// Finds the IP addresses of a host name. Each shard has its own resolver and uses it alone.
class CONCERTO_EXPORT HostResolver {
 public:
  virtual ~HostResolver() = default;

  /// Returns at least one address, in the order of preference. The error names the host. A
  /// cancelled caller gets its error soon, even if the look-up goes on.
  virtual Async<HostAddressList> resolve(std::string host) = 0;

  /// The same, but ends soon once `interest` is lost, with an error unless the look-up had already
  /// ended.
  virtual Async<HostAddressList> resolve_while(std::string host,
                                               std::shared_ptr<LookupInterest> interest) {
    (void)interest;  // A resolver that needs no look-up has nothing to end.
    return resolve(std::move(host));
  }
};

/// Threads for the system's resolver, which blocks its caller. Shared by all shards.
///
/// A name server that does not answer must not delay names that other servers answer for. So names
/// that were found before have threads that other names cannot take, and names whose last look-up
/// was slow share a few threads. Simultaneous look-ups of one name share one look-up.
///
/// Destroy it when no resolver uses it any more, and before the shards' io_contexts: a look-up
/// whose caller has gone still posts to the caller's shard.
class CONCERTO_EXPORT DnsWorkers {
 public:
  static constexpr std::size_t threads_max = 64;
  /// Threads that the other names may use: names that were never found, or whose last look-up was
  /// slow.
  static constexpr std::size_t unproven_threads_max = 48;
  /// Of these threads, the ones that names may use whose last look-up took longer than a second.
  static constexpr std::size_t slow_threads_max = 8;
  /// Names that may wait, of each kind: found before, new, and slow.
  static constexpr std::size_t queued_max = 1'000;
  /// Addresses of one name that are used; further addresses are left out. The owner of a name
  /// decides how many addresses it has, and each may get a connection.
  static constexpr std::size_t addresses_max = 256;

  using Done = std::function<void(Result<HostAddressList>)>;
  using Resolve = std::function<Result<HostAddressList>(const std::string& host)>;
  using Ticket = std::uint64_t;

  /// `resolve` blocks. It is called on the workers' threads, and a call may last longer than this
  /// object.
  explicit DnsWorkers(Resolve resolve = {});
  /// Drops the queued look-ups. Running look-ups that do not end at once are left to end by
  /// themselves, and their results are dropped, because the system's resolver cannot be
  /// interrupted.
  ~DnsWorkers();
  DnsWorkers(const DnsWorkers&) = delete;
  DnsWorkers& operator=(const DnsWorkers&) = delete;

  /// Calls `done` on a worker's thread, or in this call if too many names are queued. Any thread
  /// may call this.
  Ticket look_up(std::string host, Done done);

  /// Says that the caller no longer waits; its `done` may already be running. A name that no caller
  /// waits for is not looked up, unless the look-up has begun. Any thread may call this.
  void drop(Ticket ticket);

 private:
  struct State;

  static void work(const std::shared_ptr<State>& state);
  void add_thread();

  std::shared_ptr<State> state_;  ///< shared with the threads
};

/// The system's resolver (hosts file, DNS), called through DnsWorkers.
class CONCERTO_EXPORT SystemHostResolver final : public HostResolver {
 public:
  /// `workers` must outlive this object.
  SystemHostResolver(Executor executor, DnsWorkers& workers)
      : executor_(std::move(executor)), workers_(workers) {}

  Async<HostAddressList> resolve(std::string host) override {
    return resolve_while(std::move(host), nullptr);
  }
  Async<HostAddressList> resolve_while(std::string host,
                                       std::shared_ptr<LookupInterest> interest) override;

 private:
  Executor executor_;
  DnsWorkers& workers_;
};

}  // namespace concerto::net
