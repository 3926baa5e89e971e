#pragma once

#include <string>

#include <mariadb/mysql.h>

#include "mysql_options.hpp"

/// Opens a session, on a thread that may block. Connector/C would block in its way without blocking
/// too: while it looks up a name, and during the handshake of TLS.
namespace concerto::persist {

/// Connects. It ends after a few times the limit for connecting at the latest. False: the error is
/// mysql_errno and mysql_error. `database` may be empty.
bool open_now(MYSQL* mysql, const MysqlOptions& options, const std::string& host,
              const std::string& database);

/// Whether the options ask for TLS and the session, which is open, does not use it.
bool lacks_tls(MYSQL* mysql, const MysqlOptions& options, const std::string& host);

/// The host is the path of a socket.
inline bool is_socket_path(const std::string& host) noexcept {
  return host.starts_with('/');
}

}  // namespace concerto::persist
