#pragma once

#include <string>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/persist/store_factory.hpp>

#include "config_tables.hpp"

namespace concerto::tools {

/// A store that a command line names.
struct StoreChoice {
  persist::StoreSettings settings;
  const persist::StoreKind* kind = nullptr;  ///< of the tables that it was chosen from
  std::string place;                         ///< for people, without passwords
  AuditConfig audit;                         ///< of the configuration
  std::vector<std::string> secrets;          ///< of the configuration, for without_secrets
};

/// Reads what names a store:
/// - a URL: `leveldb:<directory>`, or `<driver>://user:password@host:port/database?<Key>=<value>`,
///   where the keys are those of the section Store. If a URL has no password, `password` is taken;
/// - `env`: the environment of concertod;
/// - anything else: a configuration file of concertod, whose values count alone.
/// Errors: invalid_request.
Result<StoreChoice> choose_store(const std::string& text, const std::string& password,
                                 const Environment& environment, const ConfigTables& tables);

}  // namespace concerto::tools
