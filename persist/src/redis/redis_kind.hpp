#pragma once

#include <concerto/persist/store_factory.hpp>

#include "redis_store.hpp"

namespace concerto::persist {

/// The kind `redis`.
StoreKind redis_kind();

/// The options of a store with these settings. Errors: invalid_request.
Result<RedisOptions> redis_options(const StoreSettings& settings);

}  // namespace concerto::persist
