#include "connection_pool.hpp"

#include <algorithm>
#include <utility>

#include <concerto/core/assert.hpp>

namespace concerto::net {

ConnectionPool::Lease::Lease(Lease&& other) noexcept
    : connection(std::move(other.connection)),
      pool_(other.pool_),
      host_(std::exchange(other.host_, nullptr)) {}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& other) noexcept {
  give_up();
  connection = std::move(other.connection);
  pool_ = other.pool_;
  host_ = std::exchange(other.host_, nullptr);
  return *this;
}

void ConnectionPool::Lease::keep() {
  pool_->put_back(*std::exchange(host_, nullptr), std::move(connection));
}

void ConnectionPool::Lease::drop_idle_since(SteadyTime time) {
  // This lease keeps the host from being forgotten.
  while (!host_->idle.empty() && host_->idle.front()->since < time) {
    pool_->drop_idle(host_->idle.front());
  }
}

void ConnectionPool::Lease::give_up() noexcept {
  connection.reset();
  if (host_) pool_->free_place(*std::exchange(host_, nullptr));
}

/// One request that waits for a connection; in a list of the pool until it is promised one.
class ConnectionPool::Waiter {
 public:
  Waiter(ConnectionPool& pool, Host& for_host, Waiters& in)
      : host(for_host), woken(pool.executor_), pool_(pool), list_(&in) {
    place_ = in.insert(in.end(), this);
    ++host.waiting_count;
  }

  ~Waiter() {
    leave();
    --host.waiting_count;
    pool_.forget_if_unused(host);
  }

  void leave() {
    if (list_) std::exchange(list_, nullptr)->erase(place_);
  }

  void move_to(Waiters& other) {
    other.splice(other.end(), *list_, place_);
    list_ = &other;
  }

  Host& host;
  Notifier woken;
  Lease lease;

 private:
  ConnectionPool& pool_;
  Waiters* list_;
  Waiters::iterator place_;
};

ConnectionPool::ConnectionPool(Executor executor, Timers& timers, Limits limits)
    : executor_(std::move(executor)),
      timers_(timers),
      limits_(limits),
      expiry_(timers, [this] { drop_expired(); }) {}

ConnectionPool::~ConnectionPool() {
  close_idle();
  CONCERTO_ASSERT(total_ == 0);
}

ConnectionPool::Host& ConnectionPool::host_of(std::string_view key) {
  const auto found = hosts_.find(key);
  if (found != hosts_.end()) return found->second;
  Host& host = hosts_[std::string{key}];
  host.key = key;
  return host;
}

ConnectionPool::Lease ConnectionPool::try_acquire(std::string_view key) {
  Host& host = host_of(key);
  Lease lease = take_idle(host);
  if (!lease) lease = take_place(host);
  if (!lease) forget_if_unused(host);
  return lease;
}

Task<ConnectionPool::Lease> ConnectionPool::acquire(std::string key, CallDeadline& deadline) {
  if (Lease lease = try_acquire(key)) co_return lease;
  Host& host = host_of(key);
  const bool host_has_room = host.open_count < limits_.per_host_max;
  Waiter waiter{*this, host, host_has_room ? starving_ : host.waiters};
  const CallDeadline::Watch watch{deadline, waiter.woken};
  while (!waiter.lease && !deadline.is_over()) {
    if (!co_await waiter.woken.wait()) break;
  }
  co_return std::move(waiter.lease);
}

ConnectionPool::Lease ConnectionPool::take_idle(Host& host) {
  while (!host.idle.empty()) {
    auto connection = remove_idle(host.idle.back());
    if (!connection->is_stale()) return Lease{*this, host, std::move(connection)};
    --host.open_count;
    --total_;
  }
  return {};
}

ConnectionPool::Lease ConnectionPool::take_place(Host& host) {
  if (host.open_count >= limits_.per_host_max) return {};
  if (total_ >= limits_.total_max) {
    if (idle_.empty()) return {};
    drop_idle(idle_.begin());
  }
  ++host.open_count;
  ++total_;
  return Lease{*this, host, nullptr};
}

void ConnectionPool::put_back(Host& host, std::unique_ptr<ClientConnection> connection) {
  if (!host.waiters.empty()) return promise(*host.waiters.front(), std::move(connection));
  if (!starving_.empty()) {
    if (&starving_.front()->host == &host) {
      return promise(*starving_.front(), std::move(connection));
    }
    connection.reset();
    return free_place(host);
  }
  connection->buffer().relax();
  const SteadyTime now = timers_.now();
  host.idle.push_back(idle_.insert(idle_.end(), Idle{std::move(connection), &host, now}));
  if (!expiry_.is_set()) expiry_.set(now + limits_.idle_timeout);
}

void ConnectionPool::free_place(Host& host) noexcept {
  if (!host.waiters.empty()) return promise(*host.waiters.front(), nullptr);
  --host.open_count;
  --total_;
  while (!starving_.empty()) {
    Waiter& next = *starving_.front();
    if (next.host.open_count < limits_.per_host_max) {
      ++next.host.open_count;
      ++total_;
      promise(next, nullptr);
      break;
    }
    next.move_to(next.host.waiters);  // Others took its host's room meanwhile.
  }
  forget_if_unused(host);
}

void ConnectionPool::promise(Waiter& waiter, std::unique_ptr<ClientConnection> connection) {
  waiter.leave();
  waiter.lease = Lease{*this, waiter.host, std::move(connection)};
  waiter.woken.notify_all();
}

std::unique_ptr<ClientConnection> ConnectionPool::remove_idle(IdleList::iterator idle) {
  auto connection = std::move(idle->connection);
  auto& of_host = idle->host->idle;
  // Reuse takes the latest, expiry the oldest: both are found at once from their end.
  if (of_host.back() == idle) {
    of_host.pop_back();
  } else {
    of_host.erase(std::find(of_host.begin(), of_host.end(), idle));
  }
  idle_.erase(idle);
  return connection;
}

void ConnectionPool::drop_idle(IdleList::iterator idle) {
  Host& host = *idle->host;
  remove_idle(idle);
  --host.open_count;
  --total_;
  forget_if_unused(host);
}

void ConnectionPool::forget_if_unused(Host& host) {
  if (host.open_count == 0 && host.waiting_count == 0) hosts_.erase(hosts_.find(host.key));
}

void ConnectionPool::close_idle() {
  while (!idle_.empty()) drop_idle(idle_.begin());
  expiry_.cancel();
}

void ConnectionPool::drop_expired() {
  const SteadyTime now = timers_.now();
  const auto end = [this] { return idle_.front().since + limits_.idle_timeout; };
  while (!idle_.empty() && end() <= now) drop_idle(idle_.begin());
  if (!idle_.empty()) expiry_.set(end());
}

}  // namespace concerto::net
