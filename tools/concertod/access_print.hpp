#pragma once

#include <string>

#include "config.hpp"

namespace concerto::tools {

/// The text of `--print-access`: who may use which method over which front end, a line for each,
/// in columns with tabs between them. The routes are those that a server with this configuration
/// has; the roles count if it asks for callers.
std::string print_access(const Config& config);

}  // namespace concerto::tools
