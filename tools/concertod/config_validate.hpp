#pragma once

#include "config.hpp"

namespace concerto::tools {

/// What one key alone cannot tell: limits between keys, and names of stores, drivers and schemes
/// that this version has or lacks. Replaces aliases by what they stand for.
void validate(Config& config, Findings& findings);

}  // namespace concerto::tools
