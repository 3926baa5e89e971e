#include "connection_pool.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::net {
namespace {

/// Room is made for waiting hosts at this interval.
constexpr std::chrono::milliseconds room_pause{250};
/// A call younger than this is not ended to make room, because its place will be free soon anyway.
constexpr std::chrono::seconds held_min{1};

}  // namespace

ConnectionPool::Lease::Lease(Lease&& other) noexcept
    : connection(std::move(other.connection)),
      pool_(other.pool_),
      host_(std::exchange(other.host_, nullptr)),
      call_(std::exchange(other.call_, nullptr)) {}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& other) noexcept {
  give_up();
  connection = std::move(other.connection);
  pool_ = other.pool_;
  host_ = std::exchange(other.host_, nullptr);
  call_ = std::exchange(other.call_, nullptr);
  return *this;
}

void ConnectionPool::Lease::hold_for(CallDeadline& call) {
  call.hold(host_->calls);
  call_ = &call;
}

void ConnectionPool::Lease::release_call() noexcept {
  CallDeadline* const call = std::exchange(call_, nullptr);
  if (call && call->HolderHook::is_linked()) call->let_go();
}

void ConnectionPool::Lease::keep() {
  release_call();
  pool_->put_back(*std::exchange(host_, nullptr), std::move(connection));
}

void ConnectionPool::Lease::drop_idle_since(SteadyTime time) {
  // The host is not forgotten meanwhile, because this lease counts.
  while (!host_->idle.empty() && host_->idle.front()->since < time) {
    pool_->drop_idle(host_->idle.front());
  }
}

void ConnectionPool::Lease::give_up() noexcept {
  connection.reset();
  release_call();
  if (host_) pool_->free_place(*std::exchange(host_, nullptr));
}

/// One request that waits for a connection. It is in its host's list until a connection is promised
/// to it.
class ConnectionPool::Waiter {
 public:
  Waiter(ConnectionPool& pool, Host& for_host)
      : host(for_host), woken(pool.executor_), pool_(pool), waits_(true) {
    if (host.waiters.empty()) {
      host.waiting = pool_.waiting_hosts_.insert(pool_.waiting_hosts_.end(), &host);
    }
    place_ = host.waiters.insert(host.waiters.end(), this);
    ++host.waiting_count;
  }

  ~Waiter() {
    leave();
    --host.waiting_count;
    pool_.forget_if_unused(host);
  }

  void leave() {
    if (!std::exchange(waits_, false)) return;
    host.waiters.erase(place_);
    if (host.waiters.empty()) pool_.waiting_hosts_.erase(host.waiting);
  }

  Host& host;
  Notifier woken;
  Lease lease;

 private:
  ConnectionPool& pool_;
  Waiters::iterator place_;
  bool waits_;
};

ConnectionPool::ConnectionPool(Executor executor, Timers& timers, Limits limits)
    : executor_(std::move(executor)),
      timers_(timers),
      limits_(limits),
      expiry_(timers, [this] { drop_expired(); }),
      room_timer_(timers, [this] { make_room(); }) {}

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
  Waiter waiter{*this, host};
  if (!room_timer_.is_set()) room_timer_.set(timers_.now() + room_pause);
  const CallDeadline::Watch watch{deadline, waiter.woken};
  while (!waiter.lease && !deadline.is_over()) {
    const bool goes_on = co_await waiter.woken.wait();
    if (!goes_on) co_return Lease{};  // Cancelled, even if a connection was just promised.
  }
  co_return std::move(waiter.lease);
}

/// Of the hosts that wait and may have one more place, the one with the fewest places.
ConnectionPool::Host* ConnectionPool::neediest() const noexcept {
  Host* found = nullptr;
  for (Host* host : waiting_hosts_) {
    const bool is_needier = !found || host->open_count < found->open_count;
    if (has_room(*host) && is_needier) found = host;
  }
  return found;
}

/// Ends calls of the hosts with the most places, in favour of waiting hosts with fewer places.
void ConnectionPool::make_room() {
  if (waiting_hosts_.empty()) return;
  room_timer_.set(timers_.now() + room_pause);
  if (total_ < limits_.total_max) return;
  using Share = std::pair<std::size_t, Host*>;
  std::vector<Share> givers;
  for (auto& [key, host] : hosts_) givers.emplace_back(host.open_count, &host);
  std::make_heap(givers.begin(), givers.end());
  for (Host* host : waiting_hosts_) {
    std::size_t wanted = std::min(host->waiters.size(), limits_.per_host_max - host->open_count);
    for (std::size_t has = host->open_count; wanted > 0 && !givers.empty();) {
      if (givers.front().first <= has + 1) break;
      std::pop_heap(givers.begin(), givers.end());
      auto& [places, giver] = givers.back();
      if (giver->calls.end_oldest(timers_.now() - held_min)) {
        --places;
        std::push_heap(givers.begin(), givers.end());
        ++has;
        --wanted;
      } else {
        givers.pop_back();
      }
    }
  }
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
  if (!has_room(host)) return {};
  if (total_ >= limits_.total_max) {
    if (idle_.empty()) return {};
    drop_idle(idle_.begin());
  }
  ++host.open_count;
  ++total_;
  return Lease{*this, host, nullptr};
}

void ConnectionPool::put_back(Host& host, std::unique_ptr<ClientConnection> connection) {
  if (!waiting_hosts_.empty()) {
    --host.open_count;
    const Host* const next = neediest();
    const bool stays = !host.waiters.empty() && next->open_count == host.open_count;
    ++host.open_count;
    if (stays) return promise(*host.waiters.front(), std::move(connection));
    if (next) {
      connection.reset();
      return free_place(host);
    }
  }
  connection->buffer().relax();
  const SteadyTime now = timers_.now();
  host.idle.push_back(idle_.insert(idle_.end(), Idle{std::move(connection), &host, now}));
  if (!expiry_.is_set()) expiry_.set(now + limits_.idle_timeout);
}

void ConnectionPool::free_place(Host& host) noexcept {
  --host.open_count;
  --total_;
  if (Host* const next = neediest()) {
    ++next->open_count;
    ++total_;
    promise(*next->waiters.front(), nullptr);
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
  // Reuse removes the latest connection, expiry the oldest: each is found at once at its end of the
  // list.
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

void ConnectionPool::close_idle_unless(const TargetPolicy* policy) {
  for (auto idle = idle_.begin(); idle != idle_.end();) {
    const auto next = std::next(idle);
    const TargetPolicy* allowed_by = idle->connection->allowed_by;
    if (allowed_by != nullptr && allowed_by != policy) drop_idle(idle);
    idle = next;
  }
}

void ConnectionPool::drop_expired() {
  const SteadyTime now = timers_.now();
  const auto end = [this] { return idle_.front().since + limits_.idle_timeout; };
  while (!idle_.empty() && end() <= now) drop_idle(idle_.begin());
  if (!idle_.empty()) expiry_.set(end());
}

}  // namespace concerto::net
