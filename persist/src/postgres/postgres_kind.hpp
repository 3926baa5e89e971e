#pragma once

#include <concerto/persist/store_factory.hpp>

namespace concerto::persist {

struct PgOptions;
struct SqlStoreOptions;

/// PostgreSQL as the configuration names it.
StoreKind postgres_kind();

/// How a node connects, by the settings.
PgOptions pg_options_of(const DatabaseSettings& database, const SqlStoreOptions& options);

}  // namespace concerto::persist
