#pragma once

#include "selection.hpp"

namespace concerto::tools {

/// What `concerto list --damaged` shows, and how much of it.
struct DamagedOptions {
  std::size_t limit = 0;  ///< 0: all
  std::string position;
  bool only_gids = false;
};

/// Shows the damaged records that the coordinator has met: no list of transactions has them.
/// Returns the exit code.
int list_damaged(const ServerOptions& server, const DamagedOptions& options);

/// Words about what was not shown; stdout has the list alone.
void tell_rest(const std::string& next, std::size_t shown);

}  // namespace concerto::tools
