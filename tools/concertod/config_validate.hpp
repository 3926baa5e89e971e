#pragma once

#include <concerto/persist/store_factory.hpp>

#include "config.hpp"

namespace concerto::tools {

/// Checks that need more than one key: limits between keys, and the names of stores, drivers and
/// schemes that this version has or lacks. Replaces aliases by the names that they stand for.
void validate(Config& config, const persist::StoreKinds& stores, Findings& findings);

}  // namespace concerto::tools
