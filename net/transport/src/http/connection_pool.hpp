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

/// The connections of one client: idle ones for reuse, and the count of all, which is bounded per
/// host and in total. Who finds no room waits; a place that becomes free goes straight to the host
/// that has fewest, and there to the first in line, so that no wake-up is lost. While hosts wait,
/// those with more places than they give up the calls that take longest: hosts that do not answer
/// do not keep others away.
///
/// A host is what a connection may be shared for: scheme, name, port and way (proxy or not).
class ConnectionPool {
  struct Host;

 public:
  struct Limits {
    std::size_t per_host_max;
    std::size_t total_max;
    std::chrono::milliseconds idle_timeout;
  };

  /// The right to one connection. It counts until it dies: with keep() the connection goes back
  /// for reuse, without it is closed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_up(); }

    /// The call that uses the connection, and that is ended when others need the place.
    void hold_for(CallDeadline& call);

    /// Null: the holder opens one.
    std::unique_ptr<ClientConnection> connection;

    explicit operator bool() const noexcept { return host_ != nullptr; }
    void keep();
    /// Closes the host's idle connections that were last used before `time`: a connection of that
    /// age swallowed a request, and they may be as dead.
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

  /// A connection to the host called `key`, or room for one. Waits at most until `deadline`.
  /// An empty lease means that the deadline or a cancellation ended the wait.
  Task<Lease> acquire(std::string key, CallDeadline& deadline);
  /// The same without waiting; empty when there is no room now.
  Lease try_acquire(std::string_view key);

  void close_idle();

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
    std::size_t open_count = 0;            // connections and places for one
    std::vector<IdleList::iterator> idle;  // latest last
    CallDeadline::Holders calls;           // that use a connection, oldest first
    Waiters waiters;                       // for a place
    WaitingHosts::iterator waiting;        // of a host with waiters
    std::size_t waiting_count = 0;         // waiters, and those that are promised a connection
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
  IdleList idle_;               // oldest first
  WaitingHosts waiting_hosts_;  // longest waiting first
  std::size_t total_ = 0;
  Timer expiry_;
  Timer room_timer_;  ///< set while somebody waits
};

}  // namespace concerto::net
