#include "mysql_kind.hpp"

#include <utility>

#include "../server_settings.hpp"
#include "../sql/sql_settings.hpp"
#include "mysql_connector.hpp"

namespace concerto::persist {
namespace {

std::unique_ptr<SqlConnector> make_connector(const StoreSettings& settings,
                                             const SqlStoreOptions& options, Executor executor) {
  return std::make_unique<MysqlConnector>(std::move(executor),
                                          mysql_options_of(settings.database, options));
}

/// Connector/C checks the name whenever it checks who has signed.
MysqlTls tls_of(const std::string& mode) {
  if (mode == "prefer") return MysqlTls::prefer;
  if (mode == "require") return MysqlTls::require;
  if (mode == "verify-ca" || mode == "verify-full") return MysqlTls::verify;
  return MysqlTls::disable;
}

}  // namespace

MysqlOptions mysql_options_of(const DatabaseSettings& database, const SqlStoreOptions& options) {
  MysqlOptions mysql;
  mysql.hosts = hosts_of(database.host);
  mysql.port = database.port;
  mysql.user = database.user;
  mysql.password = database.password;
  mysql.database = database.database;
  // As the reference, `concertod -r` creates the database too.
  mysql.creates_database = !options.checks_tables;
  mysql.tls = tls_of(database.tls_mode);
  mysql.tls_ca_file = database.tls_ca_file;
  mysql.tls_cert_file = database.tls_cert_file;
  mysql.tls_key_file = database.tls_key_file;
  mysql.east_of_utc = database.east_of_utc;
  mysql.node = options.node;
  mysql.lease = options.lease;
  return mysql;
}

StoreKind mysql_kind() {
  return sql_kind("mysql", make_connector);
}

}  // namespace concerto::persist
