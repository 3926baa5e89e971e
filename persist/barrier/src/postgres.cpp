#include <array>
#include <libpq-fe.h>
#include <memory>

#include <concerto/barrier/postgres.hpp>

namespace concerto {
namespace {

constexpr std::string_view default_table = "dtm_barrier.barrier";
// PostgreSQL's code for "prepared transaction with identifier .. does not exist".
constexpr std::string_view undefined_object = "42704";

constexpr const char* failed_before =
    "a statement of this transaction has failed; it can only be rolled back";

using PgResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

PgResult run(PGconn* connection, const std::string& statement) {
  return {PQexec(connection, statement.c_str()), &PQclear};
}

/// With parameters $1, $2...
template <std::size_t count>
PgResult run(PGconn* connection, const std::string& statement,
             const std::array<std::string, count>& values) {
  std::array<const char*, count> texts{};
  for (std::size_t i = 0; i < count; ++i) texts[i] = values[i].c_str();
  return {PQexecParams(connection, statement.c_str(), count, nullptr, texts.data(), nullptr,
                       nullptr, 0),
          &PQclear};
}

bool has_succeeded(const PgResult& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

Error failed(PGconn* connection) {
  std::string why = PQerrorMessage(connection);
  while (!why.empty() && why.back() == '\n') why.pop_back();
  return make_error(BarrierErrc::database_failed, "PostgreSQL: " + why);
}

Error wrong(std::string why) {
  return make_error(BarrierErrc::wrong_state, "PostgreSQL: " + std::move(why));
}

bool is_code(const PgResult& result, std::string_view code) {
  const char* given = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return given != nullptr && given == code;
}

std::string table_of(const BarrierRow& row) {
  return std::string(row.table.empty() ? default_table : row.table);
}

Result<std::string> literal(PGconn* connection, std::string_view text) {
  const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
      PQescapeLiteral(connection, text.data(), text.size()), &PQfreemem);
  if (quoted == nullptr) return failed(connection);
  return std::string(quoted.get());
}

}  // namespace

Result<> PostgresConnection::begin() {
  switch (PQtransactionStatus(connection_)) {
    case PQTRANS_IDLE:
      break;
    case PQTRANS_UNKNOWN:
      return failed(connection_);
    case PQTRANS_ACTIVE:
      return wrong("a statement is still running");
    case PQTRANS_INTRANS:
      return wrong("a transaction has begun already; enter() is for that");
    case PQTRANS_INERROR:
      return wrong(failed_before);
  }
  if (!has_succeeded(run(connection_, "begin"))) return failed(connection_);
  return ok();
}

Result<> PostgresConnection::commit() {
  return end_with("commit", "COMMIT");
}

/// After a failed statement PostgreSQL answers COMMIT and PREPARE TRANSACTION with success, and
/// rolls back: only the tag tells.
Result<> PostgresConnection::end_with(const std::string& statement, std::string_view tag) {
  if (PQtransactionStatus(connection_) == PQTRANS_IDLE) {
    return wrong("the transaction was ended before its work was done");
  }
  const PgResult result = run(connection_, statement);
  if (has_succeeded(result)) {
    if (PQcmdStatus(result.get()) == tag) return ok();
    return make_error(BarrierErrc::database_failed,
                      "PostgreSQL: rolled back, because a statement of the work failed");
  }
  Error error = failed(connection_);
  if (PQstatus(connection_) == CONNECTION_BAD) {
    return make_error(BarrierErrc::commit_unknown, std::move(error.detail));
  }
  roll_back();
  return error;
}

void PostgresConnection::roll_back() noexcept {
  const PGTransactionStatusType status = PQtransactionStatus(connection_);
  if (status != PQTRANS_INTRANS && status != PQTRANS_INERROR) return;
  PQclear(PQexec(connection_, "rollback"));
}

Result<> PostgresConnection::require_transaction() {
  const PGTransactionStatusType status = PQtransactionStatus(connection_);
  if (status == PQTRANS_UNKNOWN) return failed(connection_);
  if (status == PQTRANS_INERROR) return wrong(failed_before);
  if (status != PQTRANS_INTRANS) return wrong("the barrier is not within a transaction");
  return ok();
}

Result<bool> PostgresConnection::insert(const BarrierRow& row) {
  const std::array values{std::string(row.trans_type), std::string(row.gid),
                          std::string(row.branch_id),  std::string(row.op),
                          std::string(row.barrier_id), std::string(row.reason)};
  const PgResult result =
      run(connection_,
          "insert into " + table_of(row) +
              "(trans_type, gid, branch_id, op, barrier_id, reason) values($1,$2,$3,$4,$5,$6)"
              " on conflict(gid, branch_id, op, barrier_id) do nothing",
          values);
  if (!has_succeeded(result)) return failed(connection_);
  return std::string_view(PQcmdTuples(result.get())) == "1";
}

Result<std::string> PostgresConnection::reason_of(const BarrierRow& row) {
  const std::array values{std::string(row.gid), std::string(row.branch_id), std::string(row.op),
                          std::string(row.barrier_id)};
  const PgResult result =
      run(connection_,
          "select reason from " + table_of(row) +
              " where gid = $1 and branch_id = $2 and op = $3 and barrier_id = $4",
          values);
  if (!has_succeeded(result)) return failed(connection_);
  if (PQntuples(result.get()) != 1) {
    return make_error(BarrierErrc::database_failed, "PostgreSQL: the barrier's row is not there");
  }
  return std::string(PQgetvalue(result.get(), 0, 0));
}

Result<> PostgresConnection::xa_start(std::string_view) {
  return begin();
}

Result<> PostgresConnection::xa_end(std::string_view) {
  return ok();
}

Result<> PostgresConnection::xa_prepare(std::string_view xid) {
  CONCERTO_TRY(const std::string quoted, literal(connection_, xid));
  return end_with("prepare transaction " + quoted, "PREPARE TRANSACTION");
}

void PostgresConnection::xa_abort(std::string_view) noexcept {
  roll_back();
}

Result<> PostgresConnection::xa_commit(std::string_view xid) {
  return end_prepared("commit prepared ", xid);
}

Result<> PostgresConnection::xa_roll_back(std::string_view xid) {
  return end_prepared("rollback prepared ", xid);
}

Result<> PostgresConnection::end_prepared(std::string_view statement, std::string_view xid) {
  CONCERTO_TRY(const std::string quoted, literal(connection_, xid));
  const PgResult result = run(connection_, std::string(statement) + quoted);
  if (has_succeeded(result) || is_code(result, undefined_object)) return ok();
  return failed(connection_);
}

std::string postgres_barrier_table(const std::string& table) {
  const std::size_t schema_bytes = table.find('.');
  const std::string schema =
      schema_bytes == std::string::npos
          ? ""
          : "create schema if not exists " + table.substr(0, schema_bytes) + "; ";
  return schema + "create table if not exists " + table +
         "(id bigserial primary key, trans_type varchar(45) default '',"
         " gid varchar(128) default '', branch_id varchar(128) default '',"
         " op varchar(45) default '', barrier_id varchar(45) default '',"
         " reason varchar(45) default '',"
         " create_time timestamp(0) with time zone default current_timestamp,"
         " update_time timestamp(0) with time zone default current_timestamp,"
         " constraint uniq_barrier unique(gid, branch_id, op, barrier_id))";
}

}  // namespace concerto
