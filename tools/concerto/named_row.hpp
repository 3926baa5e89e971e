#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <concerto/base/error.hpp>

#include "json_members.hpp"

namespace concerto::tools {

/// One op of a branch, which an action changes.
struct NamedRow {
  std::string branch, op;
};

/// The row that a preview of an action on one transaction means. Errors: refused, why the action
/// would be; no_route, the coordinator is older and does not say.
Result<NamedRow> row_of_preview(const json::object& preview);

/// Says on stderr which row an action takes.
void tell_row(std::string_view action, const NamedRow& row);

}  // namespace concerto::tools
