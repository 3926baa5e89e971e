#pragma once

#include <vector>

#include "../sql/row_changes.hpp"
#include "pg_wire.hpp"

namespace concerto::persist {

struct PgStatement;

/// Where the columns of a StoredTrans begin that are not of the row itself: is_due, was_claimed,
/// and then those of a branch.
inline constexpr int pg_trans_columns = 18;

/// Reads the columns of CONCERTO_PG_TRANS_COLUMNS and the one after them.
StoredTrans stored_trans_of(const PgResult& result, int row);
/// Reads the columns of CONCERTO_PG_BRANCH_COLUMNS.
BranchRow branch_of(const PgResult& result, int row, int first_column);
/// Reads a result of the statement `load`.
std::vector<StoredTrans> joined_rows_of(const PgResult& result);
std::vector<StoredTrans> rows_without_branches_of(const PgResult& result);
std::vector<std::string> first_column_of(const PgResult& result);

/// The parameters of the statement `create`.
PgParams create_params(const std::vector<CreateRows*>& creates, std::int64_t lease_s);
/// `update`, or `update_edited` if a change needs it.
const PgStatement& update_statement(const std::vector<UpdateRows*>& updates) noexcept;
/// The parameters of that statement.
PgParams update_params(const std::vector<UpdateRows*>& updates, const std::string& node,
                       std::int64_t renew_below_s, std::int64_t lease_s);

}  // namespace concerto::persist
