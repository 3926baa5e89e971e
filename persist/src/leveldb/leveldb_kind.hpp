#pragma once

#include <concerto/persist/store_factory.hpp>

namespace concerto::persist {

/// The embedded store, in the directory that the settings name.
StoreKind leveldb_kind();

}  // namespace concerto::persist
