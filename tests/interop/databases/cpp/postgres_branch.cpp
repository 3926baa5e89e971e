#include <array>
#include <libpq-fe.h>
#include <memory>

#include <concerto/barrier/postgres.hpp>

#include "branch.hpp"

using concerto::Barrier;
using concerto::Result;

namespace {

Result<> change(PGconn* connection, const std::string& op, const Order& order) {
  const Changes changes = changes_of(op, order.amount);
  const std::array texts{std::to_string(changes.balance), std::to_string(changes.trading),
                         order.account};
  const std::array values{texts[0].c_str(), texts[1].c_str(), texts[2].c_str()};
  const std::unique_ptr<PGresult, decltype(&PQclear)> updated(
      PQexecParams(connection,
                   "update account set balance = balance + $1::int, trading = trading + $2::int"
                   " where name = $3 and balance + trading + $1::int + $2::int >= 0",
                   values.size(), nullptr, values.data(), nullptr, nullptr, 0),
      &PQclear);
  if (PQresultStatus(updated.get()) != PGRES_COMMAND_OK) {
    return make_error(concerto::BarrierErrc::database_failed, PQerrorMessage(connection));
  }
  if (std::string(PQcmdTuples(updated.get())) != "1") {
    return concerto::branch_failure(order.account + " has not enough money");
  }
  return concerto::ok();
}

Result<> handle(PGconn* connection, const std::string& target, const Order& order) {
  auto barrier = Barrier::from_query(target);
  if (!barrier) return barrier.error();
  if (barrier->op() == "msg") return barrier->query_prepared(connection);
  return barrier->call(connection, [&] { return change(connection, barrier->op(), order); });
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Connection open(int port) {
  const std::string where = "host=127.0.0.1 user=postgres dbname=bank port=";
  return {PQconnectdb((where + std::to_string(port)).c_str()), &PQfinish};
}

}  // namespace

Result<> handle_on_postgres(const std::string& target, const Order& order, int port) {
  const Connection connection = open(port);
  return handle(connection.get(), target, order);
}

Result<> xa_on_postgres(Barrier& barrier, const Order& order, int port, const Step& last) {
  const Connection connection = open(port);
  return barrier.xa(connection.get(), [&] {
    const Result<> changed = change(connection.get(), "action", order);
    return changed ? last() : changed;
  });
}

Result<> work_on_postgres(Barrier& barrier, const Order& order, int port) {
  const Connection connection = open(port);
  return barrier.call(connection.get(), [&] { return change(connection.get(), "action", order); });
}
