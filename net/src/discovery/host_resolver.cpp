#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/core/notifier.hpp>
#include <concerto/net/host_resolver.hpp>

namespace concerto::net {
namespace {

Result<HostAddressList> resolve_blocking(asio::io_context& io, const std::string& host) {
  asio::ip::tcp::resolver resolver{io};
  error_code failure;
  const auto found = resolver.resolve(host, "", asio::ip::resolver_base::flags{}, failure);
  if (failure) return Error{failure, "lookup " + host + ": " + failure.message()};
  HostAddressList addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address());
  return addresses;
}

/// One look-up as its caller sees it. Shared with the worker, because the caller may go first.
struct Lookup {
  explicit Lookup(Executor executor) : ended(std::move(executor)) {}
  Notifier ended;
  std::optional<Result<HostAddressList>> result;
};

}  // namespace

DnsWorkers::~DnsWorkers() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void DnsWorkers::look_up(std::string host, Done done) {
  {
    const std::lock_guard lock{mutex_};
    const bool wants_thread = idle_count_ <= queue_.size() && threads_.size() < threads_max;
    if (wants_thread) add_thread();
    if (!threads_.empty() && queue_.size() < queued_max) {
      queue_.push_back({std::move(host), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(make_error(Errc::overloaded, "lookup " + host + ": too many look-ups are waiting"));
}

void DnsWorkers::add_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // The system has no thread left: those that are there do the work.
  }
}

void DnsWorkers::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ++idle_count_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_count_;
    if (stopping_) return;
    Request request = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    request.done(resolve_blocking(io_, request.host));
    request.done = nullptr;  // What it holds does not live until the next request.
    lock.lock();
  }
}

Async<HostAddressList> SystemHostResolver::resolve(std::string host) {
  const auto lookup = std::make_shared<Lookup>(executor_);
  workers_.look_up(host, [executor = executor_, lookup](Result<HostAddressList> result) {
    asio::post(executor, [lookup, result = std::move(result)]() mutable {
      lookup->result = std::move(result);
      lookup->ended.notify_all();
    });
  });
  while (!lookup->result) {
    if (co_await lookup->ended.wait()) continue;
    co_return Error{asio::error::operation_aborted, "lookup " + host + ": cancelled"};
  }
  co_return std::move(*lookup->result);
}

}  // namespace concerto::net
