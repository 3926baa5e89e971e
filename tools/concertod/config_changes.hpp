#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config.hpp"

namespace concerto::tools {

/// A key that a reload changes.
struct KeyChange {
  std::string text;      ///< `TargetAllow: 'a.b' -> ''`, without secrets
  bool loosens = false;  ///< something is allowed now that was not, or a limit is gone
};

/// The keys that a running process takes over from `fresh` and that differ.
std::vector<KeyChange> changes(const Config& running, const Config& fresh,
                               const ConfigTables& tables = standard_tables());

/// An error if a file that had keys has none any more, as when it was cut off or is just written.
void refuse_lost_keys(std::size_t keys_before, LoadedConfig& fresh);

}  // namespace concerto::tools
