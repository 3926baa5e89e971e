#pragma once

#include <concerto/persist/store_factory.hpp>

namespace concerto::persist {

/// The store without a disk. Its data is gone when the process ends.
StoreKind memory_kind();

}  // namespace concerto::persist
