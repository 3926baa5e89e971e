#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/store.hpp>

namespace concerto::persist {

/// Members that are not the reference's, which the reference leaves out when it writes a record.
/// `concerto` of a record: `submit_time`, `waits`, the number of payloads, and the last change
/// (node and number). `concerto_payload` of a branch: the index of its payload. The members that
/// most changes set are the last ones (change_scripts.hpp).

/// The record of a transaction, as the value of P_g_<gid>: page 07 of the protocol, section 3.
/// `owner` is its member; empty: none.
std::string record_of(const Transaction& trans, std::string_view owner, std::string_view node,
                      std::int64_t change);
/// The records of its branches, in their order.
std::vector<std::string> branch_records_of(const Transaction& trans);

/// The argument of the script `update` that says what a change changes.
std::string delta_json(const TransDelta& delta, const Gid& gid);

/// Whether a change sets no more than the members at the end of a record and of branches, and the
/// schedule of a transaction that waits afterwards. Then the script `update` takes these instead of
/// delta_json.
bool changes_ends_alone(const UpdateTrans& update);
std::string new_end_of_record(const UpdateTrans& update, std::string_view node,
                              std::int64_t change);
/// The members of the schedule that the change sets; empty: none.
std::string new_schedule(const UpdateTrans& update);
std::string new_end_of_branch(const BranchChange& change);

/// A transaction out of its records. The key says for certain what its gid is: a record is text of
/// UTF-8, which a gid need not be. Errors: store_damaged.
Result<Transaction> trans_of(std::string_view record,
                             const std::vector<std::string_view>& branches);

/// The value of P_kv_<cat>_<key>, and back.
std::string kv_record_of(const KvRecord& record, std::string_view node, std::int64_t change);
Result<KvRecord> kv_of(std::string_view record);

/// The member `owner` of a transaction's record; empty if it cannot be read.
std::string owner_in(std::string_view record);
/// An argument of the script `kv_update`: a JSON array of value and time.
std::string kv_change_json(const KvRecord& record);

/// A time in JSON: `"2026-11-23T05:46:42.198431355Z"`.
std::string time_json(WallTime time);
/// Reads RFC 3339 with any offset.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace concerto::persist
