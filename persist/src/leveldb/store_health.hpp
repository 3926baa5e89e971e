#pragma once

#include <concerto/engine/store_health.hpp>

#include "store_core.hpp"

namespace concerto::persist {

// How an open store is and what it counts, for probes and metrics. Thread-safe.

StoreHealth health_of(StoreCore& core);
StoreNumbers numbers_of(StoreCore& core);

}  // namespace concerto::persist
