#pragma once

#include <vector>

#include "../sql/rows.hpp"
#include "mysql_result.hpp"
#include "mysql_statements.hpp"

/// Rows of results as the types of rows.hpp.
namespace concerto::persist {

/// The rows of a select of transactions without branches.
std::vector<StoredTrans> trans_rows_of(MysqlResult& result, const WallZone& zone);
/// The rows of mysql::load.
std::vector<StoredTrans> joined_rows_of(MysqlResult& result, const WallZone& zone);
/// Adds the rows of mysql::branches to their transactions.
void add_branch_rows(MysqlResult& result, const WallZone& zone,
                     std::vector<StoredTrans>& transactions);
std::vector<KvRow> kv_rows_of(MysqlResult& result, const WallZone& zone);

}  // namespace concerto::persist
