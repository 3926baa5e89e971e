#pragma once

#include <optional>
#include <string>

#include <concerto/engine/store.hpp>

namespace concerto::tools {

/// The record in a store that is the target of a migration. `concerto migrate` makes it before it
/// copies anything, and removes it when everything was copied and compared. The value is the time
/// at which the migration began, in nanoseconds since 1970, a blank, and the place of the source.
inline constexpr const char* migration_category = "concerto-migrate";
inline constexpr const char* migration_key = "begun";

/// The place of the source in the value of that record.
std::string source_of_migration(const std::string& value);

/// A sentence if the store has only a part of what is migrated into it, so that no coordinator may
/// work on it. `place` says where the store is. Errors: those of the store.
Async<std::optional<std::string>> unended_migration(Store& store, std::string place);

/// The same on this thread, before others serve. `io` must outlive the store, whose threads may
/// still be leaving it. Error store_busy: the store does not answer yet.
[[nodiscard]] Result<std::optional<std::string>> unended_migration_now(asio::io_context& io,
                                                                       Store& store,
                                                                       std::string place);

}  // namespace concerto::tools
