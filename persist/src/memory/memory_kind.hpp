#pragma once

#include <concerto/persist/store_factory.hpp>

namespace concerto::persist {

/// The store without a disk: nothing is there after the process.
StoreKind memory_kind();

}  // namespace concerto::persist
