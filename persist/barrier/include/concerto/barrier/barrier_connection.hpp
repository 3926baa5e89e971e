#pragma once

#include <string>
#include <string_view>

#include <concerto/barrier/barrier_error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// A row of the barrier table. The columns gid, branch_id, op and barrier_id are its unique key.
struct BarrierRow {
  std::string_view table;  ///< empty: the default of the database
  std::string_view trans_type;
  std::string_view gid;
  std::string_view branch_id;
  std::string_view op;
  std::string_view barrier_id;
  std::string_view reason;
};

/// What a Barrier needs of a database: a few statements on the caller's connection. There is one
/// class per database; write your own for another driver or another database, and pass it to the
/// functions of Barrier. All functions block. An error is BarrierErrc::database_failed unless it
/// says otherwise.
class CONCERTO_EXPORT BarrierConnection {
 public:
  virtual ~BarrierConnection();

  /// Error wrong_state if the connection is within a transaction.
  virtual Result<> begin() = 0;
  /// Error commit_unknown if the connection breaks. After any other error nothing is committed, and
  /// the transaction has ended. Error wrong_state if there is no transaction any more.
  virtual Result<> commit() = 0;
  /// Without a transaction it does nothing.
  virtual void roll_back() noexcept = 0;
  /// Error wrong_state unless the connection is within a transaction.
  virtual Result<> require_transaction() = 0;
  /// False if the table has a row with this key, also one of a transaction that was running and
  /// that this call has waited for.
  virtual Result<bool> insert(const BarrierRow& row) = 0;
  /// The reason of the row with the key of `row`.
  virtual Result<std::string> reason_of(const BarrierRow& row) = 0;
};

/// The same for a database with XA, or prepared transactions.
class CONCERTO_EXPORT XaConnection : public BarrierConnection {
 public:
  ~XaConnection() override;

  virtual Result<> xa_start(std::string_view xid) = 0;
  virtual Result<> xa_end(std::string_view xid) = 0;
  /// Afterwards any session may commit or roll back, in MySQL and MariaDB once this one is closed.
  virtual Result<> xa_prepare(std::string_view xid) = 0;
  /// Rolls back what has been started and is not prepared.
  virtual void xa_abort(std::string_view xid) noexcept = 0;
  /// Success too if there is no such transaction any more. An error if its session still holds it.
  virtual Result<> xa_commit(std::string_view xid) = 0;
  virtual Result<> xa_roll_back(std::string_view xid) = 0;
};

/// `BarrierConnectionTo<PGconn>::type` is made of a `PGconn*`. Each database's header has a row.
template <class Connection>
struct BarrierConnectionTo {
  static_assert(!sizeof(Connection),
                "include <concerto/barrier/postgres.hpp>, mysql.hpp or sqlite.hpp for connections "
                "of type PGconn, MYSQL or sqlite3");
};

}  // namespace concerto
