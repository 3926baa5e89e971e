#pragma once

#include <vector>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// Error invalid_request if a call of `trans` could never be sent: the coordinator would retry it
/// for ever. The error names the field, with the URL masked. No service is asked.
Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const CustomData& custom);

/// The same for one row of `trans` with this payload. The error names the field `url`.
Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const Branch& row, std::string_view payload);

/// The same for rows that are to be added to `trans` and share one payload. The error is
/// invalid_entry.
Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const std::vector<Branch>& rows, std::string_view payload);

}  // namespace concerto
