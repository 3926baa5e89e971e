#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace concerto::persist {

/// A time in a row: seconds since 1970 by the database's clock.
using RowTime = std::int64_t;

/// A row of trans_global, as protocol page 07 describes it.
struct TransRow {
  std::int64_t id = 0;
  std::string gid;
  std::string trans_type;
  std::string status;
  std::string query_prepared;
  std::string protocol;
  std::optional<RowTime> create_time;
  std::optional<RowTime> update_time;
  std::optional<RowTime> finish_time;
  std::optional<RowTime> rollback_time;
  std::string options;
  std::string custom_data;
  std::int64_t next_cron_interval = 0;
  std::optional<RowTime> next_cron_time;
  std::string owner;
  std::string ext_data;
  std::string result;
  std::string rollback_reason;
};

/// A row of trans_branch_op. The gid is that of the TransRow.
struct BranchRow {
  std::string branch_id;
  std::string op;
  std::string url;
  std::string bin_data;
  std::string status;
  std::optional<RowTime> create_time;
  std::optional<RowTime> update_time;
  std::optional<RowTime> finish_time;
};

/// What a read returns of one transaction.
struct StoredTrans {
  TransRow row;
  std::vector<BranchRow> branches;  ///< in the order of their ids; empty if not asked for
  bool is_due = false;              ///< next_cron_time had come, by the database's clock
  bool was_claimed = false;         ///< the read was a claim, and the row is this node's now
};

}  // namespace concerto::persist
