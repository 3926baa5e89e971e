#include "named_row.hpp"

#include <iostream>

#include <concerto/base/utf8.hpp>

#include "verb_error.hpp"

namespace concerto::tools {

Result<NamedRow> row_of_preview(const json::object& preview) {
  const json::array& sample = array_member(preview, "sample");
  const json::array& errors = array_member(preview, "errors");
  if (sample.empty() && !errors.empty()) {
    return make_error(VerbErrc::refused, text_member(object_of(errors.front()), "error"));
  }
  // An edit tells its row beside the sample.
  const bool is_beside = preview.contains("branchId");
  const json::object& place = is_beside || sample.empty() ? preview : object_of(sample.front());
  NamedRow row{text_member(place, "branchId"), text_member(place, "op")};
  if (!row.branch.empty() && !row.op.empty()) return row;
  return make_error(VerbErrc::no_route,
                    "the coordinator does not say which branch is called next (it may be an older "
                    "version): name branch and --op");
}

void tell_row(std::string_view action, const NamedRow& row) {
  std::cerr << action << ": branch " << visible_line(row.branch) << ", " << visible_line(row.op)
            << std::endl;
}

}  // namespace concerto::tools
