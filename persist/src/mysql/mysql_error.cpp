#include "mysql_error.hpp"

#include <algorithm>
#include <iterator>

namespace concerto::persist {
namespace {

struct Known {
  unsigned number;
  SqlErrc code;
};

constexpr SqlErrc rolled_back = SqlErrc::rolled_back, not_now = SqlErrc::not_now;
constexpr SqlErrc full = SqlErrc::no_connection_left;
constexpr SqlErrc answer_lost = SqlErrc::answer_lost, wrong_schema = SqlErrc::wrong_schema;

/// Errors with smaller numbers are not about a statement.
constexpr unsigned first_of_statements = 1000;

/// By number.
constexpr Known known[] = {
    {1021, not_now},                                              // disk full
    {1037, not_now},                                              // out of memory
    {1040, full},                                                 // too many connections
    {1041, not_now},                                              // out of memory
    {1044, wrong_schema},                                         // access denied
    {1045, wrong_schema}, {1047, not_now},                        // Galera: the node is not ready
    {1049, wrong_schema},                                         // unknown database
    {1053, not_now},                                              // server shutdown
    {1054, wrong_schema},                                         // unknown column
    {1077, answer_lost},                                          // normal shutdown
    {1078, answer_lost},  {1079, answer_lost},  {1114, not_now},  // the table is full
    {1129, not_now},                                              // host is blocked
    {1130, wrong_schema},                                         // host is not allowed
    {1135, not_now},                                              // cannot create a thread
    {1142, wrong_schema},                                         // command denied
    {1143, wrong_schema}, {1146, wrong_schema},                   // no such table
    {1152, answer_lost},                                          // aborted connection
    {1158, answer_lost},                                          // network errors of the server
    {1159, not_now},                                              // network timeout
    {1160, answer_lost},  {1161, not_now},                        // network timeout
    {1176, wrong_schema},                                         // no such key
    {1180, answer_lost},                                          // error during COMMIT
    {1184, not_now},                                              // aborted connection
    {1203, full},                           // too many connections of the user
    {1205, rolled_back},                    // lock wait timeout
    {1213, rolled_back},                    // deadlock
    {1226, not_now},                        // the user's limit of resources
    {1290, not_now},                        // --read-only
    {1317, rolled_back},                    // the query was interrupted
    {1412, rolled_back},                    // table definition has changed
    {1613, rolled_back},                    // XA: rolled back
    {1614, rolled_back},                    // XA: deadlock
    {1637, rolled_back},                    // too many concurrent transactions
    {1698, wrong_schema}, {1792, not_now},  // read-only transaction
    {1836, not_now},                        // read-only mode
    {1874, not_now},                        // InnoDB is in read-only mode
    {1927, answer_lost},                    // MariaDB: the connection was killed
    {1969, rolled_back},                    // MariaDB: max_statement_time
    {2002, not_now},                        // client: cannot connect
    {2003, not_now},                        // client: cannot connect
    {2005, not_now},                        // client: unknown host
    {2054, wrong_schema},                   // client: unknown authentication
    {2059, wrong_schema}, {2061, wrong_schema}, {3024, rolled_back},  // MySQL: max_execution_time
    {3032, not_now},                                                  // offline mode
    {3058, rolled_back},                                              // deadlock of user locks
    {3100, not_now},      // group replication refuses: no majority
    {3101, rolled_back},  // group replication: rolled back during commit
    {3572, rolled_back},  // NOWAIT
    {4031, answer_lost},  // idle for too long
    {8002, rolled_back},  // TiDB: for update conflict
    {8022, rolled_back},  // TiDB: commit failed, may be retried
    {8028, rolled_back},  // TiDB: schema has changed
    {9001, not_now},      // TiDB: no placement driver
    {9002, not_now},      // TiDB: storage timeout
    {9003, not_now},      // TiDB: storage is busy
    {9005, not_now},      // TiDB: region is unavailable
    {9007, rolled_back},  // TiDB: write conflict
};

}  // namespace

SqlErrc class_of_mysql_error(unsigned number) noexcept {
  // Of the server's own files and memory: a directory or a disk that it cannot write to.
  if (number > 0 && number < first_of_statements) return SqlErrc::not_now;
  const auto found = std::ranges::lower_bound(known, number, {}, &Known::number);
  if (found != std::end(known) && found->number == number) return found->code;
  // The client library does not know what the server has done with a statement.
  return is_client_error(number) ? SqlErrc::answer_lost : SqlErrc::refused;
}

bool is_lack_of_rights(unsigned number) noexcept {
  // Of a database, of a table, of a column, of a kind that is global, of a routine.
  return number == 1044 || number == 1142 || number == 1143 || number == 1227 || number == 1370;
}

bool is_interruption(unsigned number) noexcept {
  return number == 1317 || number == 1969 || number == 3024;
}

}  // namespace concerto::persist
