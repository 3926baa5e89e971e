#include <memory>

#include <mariadb/mysql.h>

#include <concerto/barrier/mysql.hpp>

#include "branch.hpp"

using concerto::Barrier;
using concerto::Result;

namespace {

/// The names of accounts are the test's, and have no quotes.
Result<> change(MYSQL* connection, const std::string& op, const Order& order) {
  const Changes changes = changes_of(op, order.amount);
  const std::string balance = std::to_string(changes.balance);
  const std::string trading = std::to_string(changes.trading);
  const std::string update = "update account set balance = balance + (" + balance +
                             "), trading = trading + (" + trading + ") where name = '" +
                             order.account + "' and balance + trading + (" + balance + ") + (" +
                             trading + ") >= 0";
  if (mysql_real_query(connection, update.data(), update.size()) != 0) {
    return make_error(concerto::BarrierErrc::database_failed, mysql_error(connection));
  }
  if (mysql_affected_rows(connection) != 1) {
    return concerto::branch_failure(order.account + " has not enough money");
  }
  return concerto::ok();
}

Result<> handle(MYSQL* connection, const std::string& target, const Order& order) {
  auto barrier = Barrier::from_query(target);
  if (!barrier) return barrier.error();
  if (barrier->op() == "msg") return barrier->query_prepared(connection);
  return barrier->call(connection, [&] { return change(connection, barrier->op(), order); });
}

template <class Use>
Result<> on_connection(int port, Use use) {
  const std::unique_ptr<MYSQL, decltype(&mysql_close)> connection(mysql_init(nullptr),
                                                                  &mysql_close);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(connection.get(), "127.0.0.1", "root", "", "bank",
                         static_cast<unsigned>(port), nullptr, 0) == nullptr) {
    return make_error(concerto::BarrierErrc::database_failed, mysql_error(connection.get()));
  }
  return use(connection.get());
}

}  // namespace

Result<> handle_on_mysql(const std::string& target, const Order& order, int port) {
  return on_connection(port, [&](MYSQL* connection) { return handle(connection, target, order); });
}

Result<> xa_on_mysql(Barrier& barrier, const Order& order, int port, const Step& last) {
  return on_connection(port, [&](MYSQL* connection) {
    return barrier.xa(connection, [&] {
      const Result<> changed = change(connection, "action", order);
      return changed ? last() : changed;
    });
  });
}

Result<> work_on_mysql(Barrier& barrier, const Order& order, int port) {
  return on_connection(port, [&](MYSQL* connection) {
    return barrier.call(connection, [&] { return change(connection, "action", order); });
  });
}
