#pragma once

#include <concerto/persist/store_factory.hpp>

#include "config.hpp"

namespace concerto::tools {

persist::StoreRetention retention(const StoreConfig& config);

/// What the store's factory needs of the configuration.
persist::StoreSettings store_settings(const StoreConfig& config);

}  // namespace concerto::tools
