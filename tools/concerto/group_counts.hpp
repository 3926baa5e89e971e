#pragma once

#include <string>

#include "selection.hpp"

namespace concerto::tools {

/// The group of what has no target or topic.
inline constexpr std::string_view no_value = "(none)";

/// Counts the selected transactions in groups: `{"total":..,"groups":[{"value","count","oldest"}],
/// "complete":..}`, most first. `by` is a word of --by. The coordinator counts, or if its version
/// does not, this program reads the list, with progress on a terminal.
Result<json::value> count_groups(Server& server, const Server::Query& selected,
                                 const std::string& by);

/// Shows counts as a table, with the total below.
void print_groups(const json::value& counts, const std::string& by, WallTime now);

}  // namespace concerto::tools
