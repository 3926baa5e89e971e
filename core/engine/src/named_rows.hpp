#pragma once

#include <cstdint>
#include <string>

#include <concerto/engine/mode.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// `branch 01 action`, or `the next branch`: for people.
std::string row_text(const BranchRow& row);

/// The row of an unfinished transaction that a skip means, out of those that it calls now. Errors:
/// invalid_entry, none or several; status_conflict, the transaction or the row has ended, or the
/// row is not called yet.
Result<std::uint32_t> skipped_row(const Transaction& trans, const Mode& mode, const BranchRow& row);

/// As `skipped_row`, but the transaction and the row may have ended, and a row whose branch and op
/// are named need not be called now.
Result<std::uint32_t> named_row(const Transaction& trans, const Mode& mode, const BranchRow& row);

}  // namespace concerto
