#pragma once

#include <concerto/persist/store_factory.hpp>

#include "../sql/sql_store.hpp"
#include "mysql_options.hpp"

namespace concerto::persist {

/// The store on MySQL, MariaDB or TiDB.
StoreKind mysql_kind();

/// How a node with these settings opens connections.
MysqlOptions mysql_options_of(const DatabaseSettings& database, const SqlStoreOptions& options);

}  // namespace concerto::persist
