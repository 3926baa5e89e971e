#pragma once

#include <concerto/persist/store_factory.hpp>

#include "../sql/sql_store.hpp"
#include "pg_connection.hpp"

namespace concerto::persist {

/// PostgreSQL as the configuration names it.
StoreKind postgres_kind();

/// How a node connects, by the settings.
PgOptions pg_options_of(const DatabaseSettings& database, const SqlStoreOptions& options);

}  // namespace concerto::persist
