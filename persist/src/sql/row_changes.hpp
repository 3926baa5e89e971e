#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <concerto/engine/store.hpp>

#include "row_clock.hpp"
#include "rows.hpp"

namespace concerto::persist {

/// A transaction to create. Precondition: no row has its gid.
struct CreateRows {
  /// The id is the database's. `owner` is the rest mark, or the node's id. With the node's id, an
  /// unfinished transaction begins with a lease and `next_cron_time` is not used.
  TransRow trans;
  std::vector<BranchRow> branches;

  bool is_made = false;  ///< set by SqlConnection::write
};

/// A new status of one row of trans_branch_op, which exists, and what else changes in it.
struct BranchRowChange {
  std::string branch_id;
  std::string op;
  std::string status;
  RowTime update_time = 0;
  std::optional<RowTime> finish_time;                  ///< absent: stays as it is
  std::optional<std::string> url = std::nullopt;       ///< absent: stays as it is
  std::optional<std::string> bin_data = std::nullopt;  ///< absent: stays as it is
};

/// What becomes of `owner` and `next_cron_time`.
enum class Hold : std::uint8_t {
  renews,  ///< the owner stays, and the lease begins anew
  rests,   ///< the owner becomes the rest mark; next_cron_time becomes UpdateRows::next_cron_time
  leaves,  ///< the owner stays; next_cron_time is set if UpdateRows::next_cron_time is
};

/// A change of one transaction. Absent fields stay as they are. Preconditions: the row has the
/// expected status, and this node is its owner unless the status is final; no row of
/// trans_branch_op has the (branch_id, op) of one of `new_branches`.
struct UpdateRows {
  std::string gid;
  TransStatus expected = TransStatus::prepared;

  RowTime update_time = 0;
  std::optional<TransStatus> status;
  std::optional<RowTime> finish_time;
  std::optional<RowTime> rollback_time;
  std::optional<std::string> rollback_reason;
  std::optional<std::string> result;
  std::optional<std::string> custom_data;
  std::optional<std::string> options;
  std::optional<std::int64_t> next_cron_interval;
  std::optional<RowTime> next_cron_time;
  Hold hold = Hold::renews;

  std::vector<BranchRowChange> branch_changes;  ///< no row twice
  std::vector<BranchRow> new_branches;          ///< added after the changes, in this order

  bool is_made = false;  ///< set by SqlConnection::write
};

/// One database transaction of SqlConnection::write. A gid is in it once. Both lists are in the
/// order of gids, so that groups of several nodes lock rows in one order.
struct RowGroup {
  std::vector<CreateRows*> creates;
  std::vector<UpdateRows*> updates;
};

/// What the columns of a kind of database can hold.
struct RowLimits {
  std::size_t payload_bytes_max = std::size_t{256} << 20;
};

/// The rows of a new transaction. Error invalid_request: a column cannot hold a text.
Result<CreateRows> rows_of(const Transaction& trans, const RowClock& clock,
                           std::string_view this_node, const RowLimits& limits);

/// The rows that a change of `known` changes. `known` is the transaction before the change.
/// Errors: invalid_request, status_mismatch, branch_exists.
Result<UpdateRows> rows_of(const UpdateTrans& update, const Transaction& known,
                           const RowClock& clock, const RowLimits& limits);

/// Adds a later change of the same transaction to `first`, so that both are one change. False if
/// that cannot be: then nothing has changed.
bool merge(UpdateRows& first, const UpdateRows& later);

/// Whether the stored rows show that a change was made whose answer was lost: they have what the
/// change sets.
bool shows(const StoredTrans& stored, const CreateRows& created);
bool shows(const StoredTrans& stored, const UpdateRows& update, std::string_view this_node);

}  // namespace concerto::persist
