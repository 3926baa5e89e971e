#include "mysql_rows.hpp"

#include <map>
#include <string_view>
#include <utility>

namespace concerto::persist {
namespace {

StoredTrans trans_of(const MysqlResult& result, const WallZone& zone) {
  StoredTrans stored;
  TransRow& trans = stored.row;
  trans.id = result.integer(0);
  trans.gid = result.string(1);
  trans.trans_type = result.string(2);
  trans.status = result.string(3);
  trans.query_prepared = result.string(4);
  trans.protocol = result.string(5);
  trans.create_time = result.time(6, zone);
  trans.update_time = result.time(7, zone);
  trans.finish_time = result.time(8, zone);
  trans.rollback_time = result.time(9, zone);
  trans.options = result.string(10);
  trans.custom_data = result.string(11);
  trans.next_cron_interval = result.integer(12);
  trans.next_cron_time = result.time(13, zone);
  trans.owner = result.string(14);
  trans.ext_data = result.string(15);
  trans.result = result.string(16);
  trans.rollback_reason = result.string(17);
  stored.is_due = result.integer(mysql::trans_columns) != 0;
  stored.was_claimed = result.integer(mysql::trans_columns + 1) != 0;
  return stored;
}

BranchRow branch_of(const MysqlResult& result, unsigned column, const WallZone& zone) {
  BranchRow branch;
  branch.branch_id = result.string(column);
  branch.op = result.string(column + 1);
  branch.url = result.string(column + 2);
  branch.bin_data = result.string(column + 3);
  branch.status = result.string(column + 4);
  branch.create_time = result.time(column + 5, zone);
  branch.update_time = result.time(column + 6, zone);
  branch.finish_time = result.time(column + 7, zone);
  return branch;
}

}  // namespace

std::vector<StoredTrans> trans_rows_of(MysqlResult& result, const WallZone& zone) {
  std::vector<StoredTrans> transactions;
  while (result.next()) transactions.push_back(trans_of(result, zone));
  return transactions;
}

std::vector<StoredTrans> joined_rows_of(MysqlResult& result, const WallZone& zone) {
  constexpr unsigned first_branch_column = mysql::trans_columns + 2;
  std::vector<StoredTrans> transactions;
  while (result.next()) {
    if (transactions.empty() || transactions.back().row.id != result.integer(0)) {
      transactions.push_back(trans_of(result, zone));
    }
    if (result.is_null(first_branch_column)) continue;
    transactions.back().branches.push_back(branch_of(result, first_branch_column, zone));
  }
  return transactions;
}

void add_branch_rows(MysqlResult& result, const WallZone& zone,
                     std::vector<StoredTrans>& transactions) {
  std::map<std::string_view, StoredTrans*> by_gid;
  for (StoredTrans& stored : transactions) by_gid.emplace(stored.row.gid, &stored);
  while (result.next()) {
    const auto found = by_gid.find(result.text(0));
    if (found != by_gid.end()) found->second->branches.push_back(branch_of(result, 1, zone));
  }
}

std::vector<KvRow> kv_rows_of(MysqlResult& result, const WallZone& zone) {
  std::vector<KvRow> rows;
  while (result.next()) {
    KvRow row;
    row.cat = result.string(0);
    row.key = result.string(1);
    row.value = result.string(2);
    row.version = result.integer(3);
    row.create_time = result.time(4, zone).value_or(0);
    row.update_time = result.time(5, zone).value_or(0);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace concerto::persist
