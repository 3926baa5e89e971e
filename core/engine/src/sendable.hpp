#pragma once

#include <vector>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// Error invalid_request when a call of `trans` could never be sent: such a transaction would be
/// tried for ever. The error names the field, with the URL masked. Looks at no service.
Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const CustomData& custom);

/// The same for branches with one payload that are to be added to `trans`. The error is
/// invalid_entry.
Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const std::vector<Branch>& rows, std::string_view payload);

}  // namespace concerto
