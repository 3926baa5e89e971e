#pragma once

#include <concerto/engine/store_health.hpp>

#include "store_core.hpp"

namespace concerto::persist {

// The state and the counters of an open store, for probes and metrics. Thread-safe.

StoreHealth health_of(StoreCore& core);
StoreNumbers numbers_of(StoreCore& core);

}  // namespace concerto::persist
