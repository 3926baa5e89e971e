#pragma once

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/export.hpp>
#include <concerto/client/client.hpp>

namespace concerto::client::blocking {

/// A client for programs without Asio: it has an io_context of its own, which runs only while
/// `wait` does. Several threads may use it: their waits take turns.
///
///     blocking::Client client{"http://localhost:36789/api/dtmsvr"};
///     Saga saga = client->saga("g1");
///     Result<> submitted = client.wait(saga.submit());
class CONCERTO_EXPORT Client {
 public:
  explicit Client(std::string coordinator, ClientOptions options = ClientOptions{})
      : client_(io_.get_executor(), std::move(coordinator), std::move(options)) {}
  ~Client() { run(client_.close()); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  client::Client* operator->() noexcept { return &client_; }

  /// Returns when the operation has ended. What it throws is thrown here.
  template <class T>
  Result<T> wait(Async<T> operation) {
    CONCERTO_ASSERT(operation.valid() && "an operation is waited for once, and was not moved away");
    std::optional<Result<T>> result;
    run(keep(std::move(operation), result));
    return std::move(*result);
  }

 private:
  template <class T>
  static Task<void> keep(Async<T> operation, std::optional<Result<T>>& result) {
    result = co_await std::move(operation);
  }

  void run(Task<void> task);

  std::recursive_mutex one_at_a_time_;  ///< an operation may wait for another one
  asio::io_context io_{1};
  client::Client client_;
};

}  // namespace concerto::client::blocking
