#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
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
/// `retry_after`. While it only takes no further connection (it has none left, or does not let the
/// user in any more), those that the pool has serve all. While the pool's gate is closed, `acquire`
/// fails at once for everybody but the one who looks whether the database answers again.
///
/// A session of MySQL keeps the rights that it began with. So after one was refused for want of a
/// right, `acquire` closes all that there are, at most once every `renew_after`.
class SqlPool {
 public:
  struct Limits {
    std::size_t open_max = 16;
    std::size_t idle_max = 16;
    std::chrono::nanoseconds life_max = std::chrono::minutes{5};
    std::chrono::nanoseconds retry_after = std::chrono::milliseconds{250};
    std::chrono::nanoseconds renew_after = std::chrono::milliseconds{500};
  };

  /// Is told how a try to make a connection has ended, before anybody else is.
  using NoteTry = std::function<void(const Result<>&)>;

  /// Connector and clock must outlive the pool.
  SqlPool(
      Executor executor, SqlConnector& connector, const Limits& limits, const Clock& clock,
      NoteTry note_try = [](const Result<>&) {})
      : connector_(connector),
        limits_(limits),
        clock_(clock),
        note_try_(std::move(note_try)),
        freed_(std::move(executor)) {}

  enum class Gate : std::uint8_t { respected, passed };

  /// Waits for a connection if all are in use, or if the database has no other left. Errors:
  /// not_now, no_connection_left (the pool has none either), wrong_schema, and that of the gate.
  Async<SqlLease> acquire(Gate gate = Gate::respected);

  /// The database does not answer, for this reason. Who waits for a connection gets the error.
  void close_gate(Error error);
  /// The database has answered. What tries to connect since before that says nothing about now.
  void open_gate() noexcept;
  bool is_gate_closed() const noexcept { return gate_.has_value(); }

  /// Why the gate is closed, or why the last try to connect failed; absent if neither holds.
  const std::optional<Error>& away() const noexcept { return gate_ ? gate_ : away_; }
  std::size_t open() const noexcept { return open_; }
  void close_idle();
  /// The user has all rights by now: connections that do not know that are closed.
  void rights_are_back();
  /// Ends what the connections in use wait for, as if its time were over.
  void cut();

 private:
  friend class SqlLease;
  struct Idle {
    std::unique_ptr<SqlConnection> connection;
    SteadyTime opened;
  };

  SqlLease lease(std::unique_ptr<SqlConnection> connection, SteadyTime opened);
  void renew();
  SqlLease take_idle();
  void give_back(std::unique_ptr<SqlConnection> connection, SteadyTime opened);
  bool is_good(const SqlConnection& connection, SteadyTime opened) const noexcept;

  SqlConnector& connector_;
  const Limits limits_;
  const Clock& clock_;
  const NoteTry note_try_;
  Notifier freed_;
  std::vector<Idle> idle_;
  std::unordered_set<SqlConnection*> used_;
  std::size_t open_ = 0;  ///< connections, and tries to connect
  std::optional<Error> away_;
  std::optional<Error> gate_;
  SteadyTime answered_at_{};
  SteadyTime next_try_{};
  SteadyTime full_until_{};    ///< the database takes no further connection
  bool lacks_rights_ = false;  ///< a connection that is not older than `renewed_at_` was refused
  SteadyTime renewed_at_{};    ///< connections from before that are not used again
};

}  // namespace concerto::persist
