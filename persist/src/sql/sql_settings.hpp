#pragma once

#include <concerto/persist/store_factory.hpp>

#include "sql_store.hpp"

namespace concerto::persist {

/// What the settings say about a SQL store, whichever its database is. The node's id is new.
SqlStoreOptions sql_options_of(const StoreSettings& settings);

/// Checks the settings that every SQL store needs. Errors: invalid_request, with the texts of
/// protocol page 06.
Result<> check_database(const DatabaseSettings& database);

/// The functions of a StoreKind for data that outlives the process. `make` makes the connector of
/// a node.
using MakeSqlConnector = std::function<std::unique_ptr<SqlConnector>(
    const StoreSettings&, const SqlStoreOptions&, Executor)>;
StoreKind sql_kind(std::string name, MakeSqlConnector make);

}  // namespace concerto::persist
