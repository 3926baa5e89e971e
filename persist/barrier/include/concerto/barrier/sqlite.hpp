#pragma once

#include <string>

#include <concerto/barrier/barrier.hpp>
#include <concerto/base/export.hpp>

struct sqlite3;

namespace concerto {

/// A barrier's statements on a connection of SQLite. The connection stays the caller's. Two
/// connections to one database wait for each other as long as sqlite3_busy_timeout says; without
/// it, the second gets the error database_failed at once.
class CONCERTO_EXPORT SqliteConnection final : public BarrierConnection {
 public:
  explicit SqliteConnection(sqlite3* connection) : connection_(connection) {}

  Result<> begin() override;
  Result<> commit() override;
  void roll_back() noexcept override;
  Result<> require_transaction() override;
  Result<bool> insert(const BarrierRow& row) override;
  Result<std::string> reason_of(const BarrierRow& row) override;

 private:
  sqlite3* connection_;
};

template <>
struct BarrierConnectionTo<sqlite3> {
  using type = SqliteConnection;
};

/// The statement that makes the barrier table `table` of a database of SQLite, for
/// sqlite3_exec; it does nothing if there is one. The other SDKs have no file for it.
CONCERTO_EXPORT std::string sqlite_barrier_table(const std::string& table = "barrier");

}  // namespace concerto
