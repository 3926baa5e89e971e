#pragma once

#include <string>
#include <string_view>

#include <concerto/barrier/barrier.hpp>
#include <concerto/base/export.hpp>

struct pg_conn;  // libpq's PGconn

namespace concerto {

/// A barrier's statements on a connection of libpq. The connection stays the caller's, who closes
/// it when PQstatus or PQtransactionStatus says that it can no longer be used.
class CONCERTO_EXPORT PostgresConnection final : public XaConnection {
 public:
  explicit PostgresConnection(pg_conn* connection) : connection_(connection) {}

  Result<> begin() override;
  Result<> commit() override;
  void roll_back() noexcept override;
  Result<> require_transaction() override;
  Result<bool> insert(const BarrierRow& row) override;
  Result<std::string> reason_of(const BarrierRow& row) override;

  /// `max_prepared_transactions` of the server must not be 0.
  Result<> xa_start(std::string_view xid) override;
  Result<> xa_end(std::string_view xid) override;
  Result<> xa_prepare(std::string_view xid) override;
  void xa_abort(std::string_view xid) noexcept override;
  Result<> xa_commit(std::string_view xid) override;
  Result<> xa_roll_back(std::string_view xid) override;

 private:
  Result<> end_with(const std::string& statement, std::string_view tag);
  Result<> end_prepared(std::string_view statement, std::string_view xid);

  pg_conn* connection_;
};

template <>
struct BarrierConnectionTo<pg_conn> {
  using type = PostgresConnection;
};

/// The statements that make the barrier table `table` and its schema, for PQexec; they do nothing
/// if both are there. The table is that of the other SDKs, with times by default.
CONCERTO_EXPORT std::string postgres_barrier_table(
    const std::string& table = "dtm_barrier.barrier");

}  // namespace concerto
