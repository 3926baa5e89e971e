#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/notifier.hpp>

#include "sql_connection.hpp"

namespace concerto::persist {

class SqlPool;

/// A connection of the pool that one coroutine uses. It goes back to the pool with the lease.
class SqlLease {
 public:
  SqlLease() = default;
  SqlLease(SqlPool& pool, std::unique_ptr<SqlConnection> connection, SteadyTime opened)
      : pool_(&pool), connection_(std::move(connection)), opened_(opened) {}
  SqlLease(SqlLease&& other) noexcept = default;
  SqlLease& operator=(SqlLease&& other) noexcept;
  ~SqlLease();

  SqlConnection* operator->() const noexcept { return connection_.get(); }
  SqlConnection& operator*() const noexcept { return *connection_; }
  /// Gives the connection back before the lease ends.
  void reset();

 private:
  SqlPool* pool_ = nullptr;
  std::unique_ptr<SqlConnection> connection_;
  SteadyTime opened_{};
};

/// A bounded number of connections. All calls are made on the connector's executor.
///
/// While the database cannot be reached, `acquire` fails at once, except for one try every
/// `retry_after`.
class SqlPool {
 public:
  struct Limits {
    std::size_t open_max = 16;
    std::size_t idle_max = 16;
    std::chrono::nanoseconds life_max = std::chrono::minutes{5};
    std::chrono::nanoseconds retry_after = std::chrono::milliseconds{250};
  };

  /// All arguments must outlive the pool.
  SqlPool(Executor executor, SqlConnector& connector, const Limits& limits, const Clock& clock)
      : connector_(connector), limits_(limits), clock_(clock), freed_(std::move(executor)) {}

  /// Waits for a connection if all are in use, or if the database has no other left. Errors:
  /// not_now, no_connection_left (the pool has none either), wrong_schema.
  Async<SqlLease> acquire();

  /// Why the last try to connect failed; absent if it did not.
  const std::optional<Error>& away() const noexcept { return away_; }
  std::size_t open() const noexcept { return open_; }
  void close_idle() {
    open_ -= idle_.size();
    idle_.clear();
  }

 private:
  friend class SqlLease;
  struct Idle {
    std::unique_ptr<SqlConnection> connection;
    SteadyTime opened;
  };

  SqlLease take_idle();
  void give_back(std::unique_ptr<SqlConnection> connection, SteadyTime opened);
  bool is_good(const SqlConnection& connection, SteadyTime opened) const noexcept;

  SqlConnector& connector_;
  const Limits limits_;
  const Clock& clock_;
  Notifier freed_;
  std::vector<Idle> idle_;
  std::size_t open_ = 0;  ///< connections, and tries to connect
  std::optional<Error> away_;
  SteadyTime next_try_{};
  SteadyTime full_until_{};  ///< the database has no connection left
};

}  // namespace concerto::persist
