// A service that knows the barrier of SQLite by pkg-config alone: a repeated call changes nothing.

#include <cstdlib>
#include <iostream>
#include <sqlite3.h>
#include <string>

#include <concerto/barrier/barrier.hpp>
#include <concerto/barrier/sqlite.hpp>

namespace {

int payments = 0;

concerto::Result<> pay(sqlite3* connection, const std::string& target) {
  auto barrier = concerto::Barrier::from_query(target);
  if (!barrier) return barrier.error();
  return barrier->call(connection, [] { ++payments; });
}

}  // namespace

int main() {
  sqlite3* connection = nullptr;
  sqlite3_open(":memory:", &connection);
  const std::string table = concerto::sqlite_barrier_table();
  sqlite3_exec(connection, table.c_str(), nullptr, nullptr, nullptr);
  const std::string target = "/pay?trans_type=saga&gid=g&branch_id=01&op=action";
  const bool paid = static_cast<bool>(pay(connection, target));
  const bool repeated = static_cast<bool>(pay(connection, target));
  sqlite3_close(connection);
  std::cout << "payments: " << payments << "\n";
  return paid && repeated && payments == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
