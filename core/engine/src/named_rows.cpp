#include "named_rows.hpp"

#include <algorithm>
#include <vector>

#include "request_parts.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

bool is_meant_row(const Branch& branch, const BranchRow& row) {
  return (row.branch_id.empty() || branch.branch_id.view() == row.branch_id) &&
         (row.op.empty() || branch.op == row.op);
}

/// The rows that `row` may mean. If it leaves something open, those that are called next; otherwise
/// all with an op that the transaction calls now: no compensation of a saga that goes forward.
std::vector<std::uint32_t> rows_called_now(const Transaction& trans,
                                           const std::vector<std::uint32_t>& next,
                                           const BranchRow& row) {
  std::vector<std::uint32_t> rows = next;
  if (!row.branch_id.empty() && !row.op.empty()) {
    const bool is_called_now =
        std::ranges::any_of(next, [&](std::uint32_t i) { return trans.branches[i].op == row.op; });
    rows.clear();
    for (std::uint32_t i = 0; is_called_now && i < trans.branches.size(); ++i) rows.push_back(i);
  }
  std::erase_if(rows, [&](std::uint32_t i) { return !is_meant_row(trans.branches[i], row); });
  return rows;
}

Error no_row(const Transaction& trans, const char* which, const BranchRow& row) {
  return make_error(EngineErrc::invalid_entry,
                    "gid " + trans.gid.str() + " has no row that is " + which + row_text(row));
}

/// The row that `row` means, out of those that are called now.
Result<std::uint32_t> called_row(const Transaction& trans, const std::vector<std::uint32_t>& next,
                                 const BranchRow& row) {
  const std::string who = "gid " + trans.gid.str();
  if (next.empty()) {
    return make_error(EngineErrc::invalid_entry,
                      who + " calls no branch next, its status is " + quoted(trans.status));
  }
  const std::vector<std::uint32_t> rows = rows_called_now(trans, next, row);
  if (rows.size() == 1) return rows.front();
  if (rows.empty()) return no_row(trans, "called now and is ", row);
  return make_error(EngineErrc::invalid_entry, who + " calls " + std::to_string(rows.size()) +
                                                   " rows next; name branch and op of one of them");
}

}  // namespace

std::string row_text(const BranchRow& row) {
  if (row.branch_id.empty()) return row.op.empty() ? "the next branch" : "the next " + row.op;
  return "branch " + row.branch_id + (row.op.empty() ? "" : " " + row.op);
}

Result<std::uint32_t> skipped_row(const Transaction& trans, const Mode& mode,
                                  const BranchRow& row) {
  if (is_final(trans.status)) {
    return conflict("gid " + trans.gid.str() + " has ended with status " + quoted(trans.status) +
                    ", no branch can be skipped.");
  }
  const std::vector<std::uint32_t> next = next_rows(trans, mode);
  CONCERTO_TRY(const std::uint32_t index, called_row(trans, next, row));
  const Branch& branch = trans.branches[index];
  const std::string who =
      "branch " + branch.branch_id.str() + " " + branch.op + " of gid " + trans.gid.str();
  if (branch.status != BranchStatus::prepared) {
    return conflict(who + " has ended with status '" + std::string(to_string(branch.status)) +
                    "', it cannot be skipped.");
  }
  if (std::ranges::find(next, index) != next.end()) return index;
  const Branch& first = trans.branches[next.front()];
  return conflict(who + " is not called now, but branch " + first.branch_id.str() + " " + first.op +
                  " is: it cannot be skipped yet.");
}

Result<std::uint32_t> named_row(const Transaction& trans, const Mode& mode, const BranchRow& row) {
  if (row.branch_id.empty() || row.op.empty())
    return called_row(trans, next_rows(trans, mode), row);
  const auto found = std::ranges::find_if(
      trans.branches, [&](const Branch& branch) { return is_meant_row(branch, row); });
  if (found == trans.branches.end()) return no_row(trans, "", row);
  return static_cast<std::uint32_t>(found - trans.branches.begin());
}

}  // namespace concerto
