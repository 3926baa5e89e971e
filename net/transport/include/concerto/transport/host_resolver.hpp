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

namespace concerto::net {

using HostAddressList = std::vector<asio::ip::address>;

/// By this the one who waits for a look-up tells the resolver that nobody does any more. Used on
/// one shard.
class LookupInterest {
 public:
  void lose() {
    lost_ = true;
    if (on_lost_) on_lost_();
  }
  /// For the resolver: is called at once if that has happened.
  void on_lost(std::function<void()> handler) {
    on_lost_ = std::move(handler);
    if (lost_ && on_lost_) on_lost_();
  }

 private:
  std::function<void()> on_lost_;
  bool lost_ = false;
};

/// Finds the IP addresses of a host name. One per shard; used on that shard only.
class HostResolver {
 public:
  virtual ~HostResolver() = default;

  /// At least one address, in the order of preference. The error names the host. A cancelled
  /// caller gets its error soon, whatever becomes of the look-up.
  virtual Async<HostAddressList> resolve(std::string host) = 0;

  /// The same. Once `interest` is lost it ends soon, with an error unless it had ended before.
  virtual Async<HostAddressList> resolve_while(std::string host,
                                               std::shared_ptr<LookupInterest> interest) {
    (void)interest;  // What a resolver finds by itself needs no end.
    return resolve(std::move(host));
  }
};

/// Threads for the system's resolver, which blocks its caller. Shared by all shards.
///
/// One name server that does not answer must not hold up the names that others answer for: names
/// that were found before have threads that other names cannot take, and names whose last look-up
/// was slow share a few. Look-ups of one name at one time are one.
///
/// Destroy it when nobody resolves any more, and before the shards' io_contexts: a look-up whose
/// caller has gone still answers to its shard.
class DnsWorkers {
 public:
  static constexpr std::size_t threads_max = 64;
  /// At most so many for the others: names that were never found, or whose last look-up was slow.
  static constexpr std::size_t unproven_threads_max = 48;
  /// Of those, for names whose last look-up took longer than a second.
  static constexpr std::size_t slow_threads_max = 8;
  /// Names that wait: found before, new and slow ones each.
  static constexpr std::size_t queued_max = 1'000;
  /// Of one name; further ones are left out. Whoever owns a name says how many it has, and each
  /// may be connected to.
  static constexpr std::size_t addresses_max = 256;

  using Done = std::function<void(Result<HostAddressList>)>;
  using Resolve = std::function<Result<HostAddressList>(const std::string& host)>;
  using Ticket = std::uint64_t;

  /// `resolve` blocks; called on the workers' threads, at times longer than this object lives.
  explicit DnsWorkers(Resolve resolve = {});
  /// Drops what is queued. Look-ups that run are left to end by themselves, unheard, if they do
  /// not end at once: the system's resolver cannot be interrupted.
  ~DnsWorkers();
  DnsWorkers(const DnsWorkers&) = delete;
  DnsWorkers& operator=(const DnsWorkers&) = delete;

  /// Calls `done` on a worker's thread, or here if too many are queued. From any thread.
  Ticket look_up(std::string host, Done done);

  /// That one does not wait any more; its `done` may be running. A name that nobody waits for is
  /// not looked up, unless that has begun. From any thread.
  void drop(Ticket ticket);

 private:
  struct State;

  static void work(const std::shared_ptr<State>& state);
  void add_thread();

  std::shared_ptr<State> state_;  ///< the threads' too
};

/// The system's resolver (hosts file, DNS) by way of DnsWorkers.
class SystemHostResolver final : public HostResolver {
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
