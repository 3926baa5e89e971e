#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/mutex.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/start_thread.hpp>
#include <concerto/transport/host_resolver.hpp>

#include "dns_queue.hpp"

namespace concerto::net {
namespace {

/// When the workers end, running look-ups get this much time. Most end within it; with a silent
/// name server a look-up takes many seconds.
constexpr std::chrono::milliseconds end_patience{100};

Result<HostAddressList> resolve_blocking(asio::io_context& io, const std::string& host) {
  asio::ip::tcp::resolver resolver{io};
  error_code failure;
  const auto found = resolver.resolve(host, "", asio::ip::resolver_base::flags{}, failure);
  if (failure) return Error{failure, "lookup " + host + ": " + failure.message()};
  HostAddressList addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address());
  return addresses;
}

/// One look-up for one caller. Shared with the worker, because the caller may end first.
struct Lookup {
  explicit Lookup(Executor executor) : ended(std::move(executor)) {}

  void end(Result<HostAddressList> with) {
    if (result) return;
    result = std::move(with);
    ended.notify_all();
  }

  Notifier ended;
  std::optional<Result<HostAddressList>> result;
};

}  // namespace

/// What the threads use. A thread that looks a name up holds only that name, so that it holds
/// nothing of a shard if it outlives the shards.
struct DnsWorkers::State {
  asio::io_context io;  ///< made early, because no descriptor may be left when a worker begins
  Resolve resolve;
  Mutex mutex;
  ConditionVariable wake;
  ConditionVariable changed;  ///< thread_count or answering_count has changed
  DnsQueue queue CONCERTO_GUARDED_BY(mutex);
  std::size_t thread_count CONCERTO_GUARDED_BY(mutex) = 0;
  std::size_t idle_count CONCERTO_GUARDED_BY(mutex) = 0;
  /// Threads that are calling a `done`.
  std::size_t answering_count CONCERTO_GUARDED_BY(mutex) = 0;
  bool stopping CONCERTO_GUARDED_BY(mutex) = false;
};

DnsWorkers::DnsWorkers(Resolve resolve) : state_(std::make_shared<State>()) {
  state_->resolve = std::move(resolve);
  if (state_->resolve) return;
  state_->resolve = [&io = state_->io](const std::string& host) {
    return resolve_blocking(io, host);
  };
}

DnsWorkers::~DnsWorkers() {
  DnsQueue::Answers unanswered;  // Destroyed while the shards live, and without the lock.
  {
    UniqueLock lock{state_->mutex};
    state_->stopping = true;
    unanswered = state_->queue.clear();
    state_->wake.notify_all();
    const auto end = std::chrono::steady_clock::now() + end_patience;
    while (state_->thread_count > 0 && state_->changed.wait_until(lock, end)) {
    }
    while (state_->answering_count > 0) state_->changed.wait(lock);
  }
}

DnsWorkers::Ticket DnsWorkers::look_up(std::string host, Done done) {
  const char* why = "too many look-ups are waiting";
  {
    const MutexLock lock{state_->mutex};
    if (const auto ticket = state_->queue.add(host, done)) {
      if (state_->idle_count < state_->queue.ready_count()) add_thread();
      state_->wake.notify_one();
      if (state_->thread_count > 0) return *ticket;
      state_->queue.drop(*ticket);
      why = "the system has no thread for it";
    }
  }
  done(make_error(Errc::overloaded, "lookup " + host + ": " + why));
  return 0;
}

void DnsWorkers::drop(Ticket ticket) {
  Done dropped;  // Destroyed after the lock is released.
  const MutexLock lock{state_->mutex};
  dropped = state_->queue.drop(ticket);
}

void DnsWorkers::add_thread() {
  state_->mutex.is_held();
  if (state_->thread_count >= threads_max) return;
  std::thread thread;
  // If the system has no room for another thread, the existing ones do the work.
  if (!start_thread(thread, "for look-ups of names", [state = state_] { work(state); })) return;
  thread.detach();  // It shares the ownership of all that it uses.
  ++state_->thread_count;
}

void DnsWorkers::work(const std::shared_ptr<State>& state) {
  UniqueLock lock{state->mutex};
  while (!state->stopping) {
    const auto host = state->queue.take(std::chrono::steady_clock::now());
    if (!host) {
      ++state->idle_count;
      state->wake.wait(lock);
      --state->idle_count;
      continue;
    }
    lock.unlock();
    Result<HostAddressList> found = state->resolve(*host);
    if (found && found->size() > addresses_max) found->resize(addresses_max);
    lock.lock();
    const SteadyTime now = std::chrono::steady_clock::now();
    DnsQueue::Answers answers = state->queue.finish(*host, found.has_value(), now);
    if (answers.empty()) continue;
    ++state->answering_count;
    lock.unlock();
    for (const auto& [ticket, done] : answers) done(found);
    answers.clear();  // Destroyed now, and not only after the next look-up.
    lock.lock();
    --state->answering_count;
    state->changed.notify_all();
  }
  --state->thread_count;
  state->changed.notify_all();
}

Async<HostAddressList> SystemHostResolver::resolve_while(std::string host,
                                                         std::shared_ptr<LookupInterest> interest) {
  const auto lookup = std::make_shared<Lookup>(executor_);
  const DnsWorkers::Ticket ticket =
      workers_.look_up(host, [executor = executor_, lookup](Result<HostAddressList> result) {
        asio::post(executor, [lookup, result = std::move(result)]() mutable {
          lookup->end(std::move(result));
        });
      });
  const Error given_up{asio::error::operation_aborted, "lookup " + host + ": cancelled"};
  if (interest) interest->on_lost([lookup, given_up] { lookup->end(given_up); });
  while (!lookup->result) {
    const bool notified = co_await lookup->ended.wait();
    if (!notified && !lookup->result) lookup->end(given_up);
  }
  if (interest) interest->on_lost(nullptr);
  workers_.drop(ticket);  // Without effect if the look-up has ended.
  co_return std::move(*lookup->result);
}

}  // namespace concerto::net
