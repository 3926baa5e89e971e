#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>

#include "call_deadline.hpp"
#include "client_connection.hpp"

namespace concerto::net {

/// The connections of one client: idle connections for reuse, and the count of all connections,
/// which is limited per host and in total. A request that finds no room waits. A place that becomes
/// free goes directly to the waiting host with the fewest places, and there to the request that has
/// waited longest, so that no wake-up is lost. While a host waits, hosts with more places lose the
/// calls that have taken longest. So hosts that do not answer cannot take all connections.
///
/// Here a host is everything that requests must have in common to share a connection: scheme, name,
/// port, and whether a proxy is used.
class ConnectionPool {
  struct Host;

 public:
  struct Limits {
    std::size_t per_host_max;
    std::size_t total_max;
    std::chrono::milliseconds idle_timeout;
  };

  /// The right to one connection, which counts until the lease ends. After keep() the connection
  /// stays open for reuse; otherwise it is closed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_up(); }

    /// Names the call that uses the connection. The call may be ended when another host needs the
    /// place.
    void hold_for(CallDeadline& call);

    /// If null, the holder of the lease has to open a connection.
    std::unique_ptr<ClientConnection> connection;

    explicit operator bool() const noexcept { return host_ != nullptr; }
    void keep();
    /// Closes the host's idle connections that were last used before `time`. Call it when a
    /// connection of that age did not answer a request: the others may be dead too.
    void drop_idle_since(SteadyTime time);

   private:
    friend class ConnectionPool;
    Lease(ConnectionPool& pool, Host& host, std::unique_ptr<ClientConnection> open) noexcept
        : connection(std::move(open)), pool_(&pool), host_(&host) {}
    void release_call() noexcept;
    void give_up() noexcept;

    ConnectionPool* pool_ = nullptr;
    Host* host_ = nullptr;
    CallDeadline* call_ = nullptr;
  };

  ConnectionPool(Executor executor, Timers& timers, Limits limits);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// A connection to the host `key`, or a place for a new connection. Waits at most until
  /// `deadline`. An empty lease means that the deadline or a cancellation ended the wait.
  Task<Lease> acquire(std::string key, CallDeadline& deadline);
  /// Like acquire, but does not wait: the lease is empty if there is no room now.
  Lease try_acquire(std::string_view key);

  void close_idle();
  /// Closes the idle connections whose address another policy has allowed.
  void close_idle_unless(const TargetPolicy* policy);

  std::size_t total() const noexcept { return total_; }
  std::size_t idle_count() const noexcept { return idle_.size(); }

 private:
  struct Idle {
    std::unique_ptr<ClientConnection> connection;
    Host* host;
    SteadyTime since;
  };
  using IdleList = std::list<Idle>;

  class Waiter;
  using Waiters = std::list<Waiter*>;
  using WaitingHosts = std::list<Host*>;

  struct Host {
    std::string key;
    std::size_t open_count = 0;            // connections, and places for new ones
    std::vector<IdleList::iterator> idle;  // the latest is the last one
    CallDeadline::Holders calls;           // calls that use a connection, the oldest first
    Waiters waiters;                       // requests that wait for a place
    WaitingHosts::iterator waiting;        // place in waiting_hosts_, if there are waiters
    // Waiters, and requests to which a connection is promised.
    std::size_t waiting_count = 0;
  };

  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };
  using Hosts = std::unordered_map<std::string, Host, KeyHash, std::equal_to<>>;

  Host& host_of(std::string_view key);
  bool has_room(const Host& host) const noexcept { return host.open_count < limits_.per_host_max; }
  Host* neediest() const noexcept;
  void make_room();
  Lease take_idle(Host& host);
  Lease take_place(Host& host);
  void put_back(Host& host, std::unique_ptr<ClientConnection> connection);
  void free_place(Host& host) noexcept;
  void promise(Waiter& waiter, std::unique_ptr<ClientConnection> connection);
  std::unique_ptr<ClientConnection> remove_idle(IdleList::iterator idle);
  void drop_idle(IdleList::iterator idle);
  void forget_if_unused(Host& host);
  void drop_expired();

  Executor executor_;
  Timers& timers_;
  Limits limits_;
  Hosts hosts_;
  IdleList idle_;               // the oldest is the first one
  WaitingHosts waiting_hosts_;  // the one that has waited longest is the first
  std::size_t total_ = 0;
  Timer expiry_;
  Timer room_timer_;  ///< set while a host waits
};

}  // namespace concerto::net
