#pragma once

#include <concerto/persist/store_factory.hpp>

#include "config_keys.hpp"

namespace concerto::tools {

/// What a configuration may name: the keys, and the kinds of stores of the key Store.Driver.
struct ConfigTables {
  KeyTable keys = KeyTable::standard();
  persist::StoreKinds stores = persist::StoreKinds::standard();
};

}  // namespace concerto::tools
