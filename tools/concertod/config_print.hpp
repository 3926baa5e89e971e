#pragma once

#include <string>

#include "config_tables.hpp"

namespace concerto::tools {

/// The configuration as YAML that load_config can read. Values that contain secrets are comments.
std::string print_config(const Config& config, const ConfigTables& tables = standard_tables());

/// A configuration file to begin with. It has every key that is used, commented out, with its
/// default and its meaning. Comments have a blank behind the `#`, keys have none.
std::string print_sample(const ConfigTables& tables = standard_tables());

/// The page `docs/configuration.md`: how a configuration is read, and tables of all keys.
std::string print_key_page(const ConfigTables& tables = standard_tables());

}  // namespace concerto::tools
