#pragma once

#include <string>

#include <concerto/persist/store_factory.hpp>

#include "config.hpp"

namespace concerto::tools {

persist::StoreRetention retention(const StoreConfig& config);

/// The settings that the store's factory needs from the configuration.
persist::StoreSettings store_settings(const StoreConfig& config);
/// The same with what other sections say that concerns the store: the time zone.
persist::StoreSettings store_settings(const Config& config);

/// Where the store is, for people and without passwords. Empty for one that ends with its process.
std::string store_place(const Config& config);

}  // namespace concerto::tools
