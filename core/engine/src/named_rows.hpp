#pragma once

#include <cstdint>
#include <string>

#include <concerto/engine/mode.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// `branch 01 action`, or `the next branch`: for people.
std::string row_text(const BranchRow& row);

/// The row of an unfinished transaction that `row` means, out of those that are called now. Error
/// invalid_entry: none or several.
Result<std::uint32_t> called_row(const Transaction& trans, const Mode& mode, const BranchRow& row);

/// The row that a skip means. Errors: those of `called_row`; status_conflict, the transaction or
/// the row has ended.
Result<std::uint32_t> skipped_row(const Transaction& trans, const Mode& mode, const BranchRow& row);

/// As `called_row`. A row whose branch and op are named need not be one that is called now.
Result<std::uint32_t> named_row(const Transaction& trans, const Mode& mode, const BranchRow& row);

}  // namespace concerto
