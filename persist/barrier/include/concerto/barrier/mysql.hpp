#pragma once

#include <string>
#include <string_view>

#include <concerto/barrier/barrier.hpp>
#include <concerto/base/export.hpp>

struct st_mysql;  // MariaDB Connector/C's MYSQL

namespace concerto {

/// A barrier's statements on a connection of MariaDB Connector/C to MySQL, MariaDB or TiDB. The
/// connection stays the caller's. The character set of the session is the one that
/// mysql_set_character_set or MYSQL_SET_CHARSET_NAME gave.
class CONCERTO_EXPORT MysqlConnection final : public XaConnection {
 public:
  explicit MysqlConnection(st_mysql* connection) : connection_(connection) {}

  Result<> begin() override;
  Result<> commit() override;
  void roll_back() noexcept override;
  Result<> require_transaction() override;
  Result<bool> insert(const BarrierRow& row) override;
  Result<std::string> reason_of(const BarrierRow& row) override;

  Result<> xa_start(std::string_view xid) override;
  Result<> xa_end(std::string_view xid) override;
  /// The caller closes the connection after the op `action` of XA, before it answers: MariaDB does
  /// not let others end what a session has prepared, as long as the session lasts.
  Result<> xa_prepare(std::string_view xid) override;
  void xa_abort(std::string_view xid) noexcept override;
  Result<> xa_commit(std::string_view xid) override;
  Result<> xa_roll_back(std::string_view xid) override;

 private:
  bool is_in_transaction() const noexcept;
  bool learn_whether_in_transaction() noexcept;
  std::string literal(std::string_view text) const;
  Result<bool> is_same(const BarrierRow& row);
  Result<std::string> column_of(const char* column, const BarrierRow& row);
  Result<> end_prepared(const std::string& statement, std::string_view xid);
  Result<bool> is_prepared(std::string_view xid);

  st_mysql* connection_;
};

template <>
struct BarrierConnectionTo<st_mysql> {
  using type = MysqlConnection;
};

/// The statement that makes the barrier table `table`, whose database must exist; it does nothing
/// if there is one. The table is that of the other SDKs.
CONCERTO_EXPORT std::string mysql_barrier_table(const std::string& table = "dtm_barrier.barrier");

}  // namespace concerto
