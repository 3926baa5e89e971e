#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../sql/sql_connection.hpp"

namespace concerto::persist {

enum class MysqlTls : std::uint8_t {
  disable,
  prefer,   ///< if the server has it
  require,  ///< whoever the server is
  verify,   ///< the server's certificate has to be signed by the given authority, for its host name
};

struct MysqlTimeLimits {
  std::chrono::milliseconds connect{3'000};
  /// The server gives up waiting for a lock after so long.
  std::chrono::seconds lock{5};
  /// A session without an answer for so long counts as lost.
  std::chrono::milliseconds answer{10'000};
};

/// How connections to MySQL, MariaDB or TiDB are opened.
struct MysqlOptions {
  std::vector<std::string> hosts;  ///< or paths of sockets; the first that takes writes is used
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
  std::string database;
  /// Creates the database if it is missing.
  bool creates_database = false;
  MysqlTls tls = MysqlTls::disable;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;

  /// The zone of DATETIME columns; absent: this system's.
  std::optional<std::chrono::minutes> east_of_utc;
  std::string node;  ///< this node's id, the owner of its rows
  LeaseTimes lease;
  MysqlTimeLimits time_limits;
  /// False: as with a server that does not have SKIP LOCKED.
  bool may_skip_locked = true;
};

}  // namespace concerto::persist
