#include "postgres_kind.hpp"

#include <utility>

#include "../server_settings.hpp"
#include "../sql/sql_settings.hpp"
#include "../sql/sql_store.hpp"
#include "pg_connector.hpp"

namespace concerto::persist {
namespace {

std::unique_ptr<SqlConnector> make_connector(const StoreSettings& settings,
                                             const SqlStoreOptions& options, Executor executor) {
  return std::make_unique<PgConnector>(std::move(executor),
                                       pg_options_of(settings.database, options));
}

Result<> check(const StoreSettings& settings) {
  CONCERTO_CHECK(check_database(settings.database));
  if (!is_blank(settings.database.schema)) return ok();
  return make_error(Errc::invalid_request, "Store.Schema is empty: Postgres schema not valid");
}

}  // namespace

PgOptions pg_options_of(const DatabaseSettings& database, const SqlStoreOptions& options) {
  PgOptions pg;
  pg.hosts = hosts_of(database.host);
  pg.parameters = {{"port", std::to_string(database.port)},
                   {"user", database.user},
                   {"password", database.password},
                   {"dbname", database.database},
                   {"sslmode", database.tls_mode},
                   // libpq takes no list of ciphers.
                   {"ssl_min_protocol_version", "TLSv1.2"},
                   // Keepalives find a server that is gone while nothing is under way. A statement
                   // that nobody acknowledges finds it after tcp_user_timeout, in milliseconds.
                   {"keepalives_idle", "5"},
                   {"keepalives_interval", "2"},
                   {"keepalives_count", "3"},
                   {"tcp_user_timeout", "4000"}};
  if (!database.tls_ca_file.empty())
    pg.parameters.emplace_back("sslrootcert", database.tls_ca_file);
  if (!database.tls_cert_file.empty())
    pg.parameters.emplace_back("sslcert", database.tls_cert_file);
  if (!database.tls_key_file.empty()) pg.parameters.emplace_back("sslkey", database.tls_key_file);
  pg.schema = database.schema;
  pg.node = options.node;
  pg.lease = options.lease;
  return pg;
}

StoreKind postgres_kind() {
  StoreKind kind = sql_kind("postgres", make_connector);
  kind.check = check;
  return kind;
}

}  // namespace concerto::persist
