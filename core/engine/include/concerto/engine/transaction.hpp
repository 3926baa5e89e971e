#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/ids.hpp>

namespace concerto {

/// The number of a transaction's mode, as stores keep it. The modes of the protocol (page 01,
/// section 3) have names here; a new mode takes a number that no mode ever had: `TransType{6}`. The
/// ModeTable has the name and the functions of each type.
enum class TransType : std::uint8_t { saga = 1, msg = 2, tcc = 3, xa = 4, workflow = 5 };

/// Every TransType is below this number: a table by type has this many entries.
inline constexpr std::size_t trans_types = 8;

/// Whether a mode may have this number. Stores keep it even if no mode of this version has it.
constexpr bool is_mode_number(TransType type) noexcept {
  return type != TransType{} && static_cast<std::size_t>(type) < trans_types;
}

/// Status of a global transaction (protocol page 01, section 4). The values are stored.
enum class TransStatus : std::uint8_t {
  prepared = 1,   ///< created, not submitted
  submitted = 2,  ///< going forward
  aborting = 3,   ///< rolling back
  succeed = 4,    ///< final
  failed = 5,     ///< final
};

/// Status of one row. The values are stored.
enum class BranchStatus : std::uint8_t { prepared = 1, succeed = 2, failed = 3 };

/// How branches are called (protocol page 04, section 1). The values are stored.
enum class Protocol : std::uint8_t { http = 1, grpc = 2, json_rpc = 3 };

CONCERTO_EXPORT std::string_view to_string(TransStatus status) noexcept;
CONCERTO_EXPORT std::string_view to_string(BranchStatus status) noexcept;
CONCERTO_EXPORT std::string_view to_string(Protocol protocol) noexcept;
CONCERTO_EXPORT std::optional<TransStatus> trans_status_from(std::string_view text) noexcept;
CONCERTO_EXPORT std::optional<BranchStatus> branch_status_from(std::string_view text) noexcept;
/// The empty text means http.
CONCERTO_EXPORT std::optional<Protocol> protocol_from(std::string_view text) noexcept;

constexpr bool is_final(TransStatus status) noexcept {
  return status == TransStatus::succeed || status == TransStatus::failed;
}

/// Whether a transaction may change its status so, in some mode. A mode uses a part of these
/// changes.
constexpr bool may_become(TransStatus from, TransStatus to) noexcept {
  switch (to) {
    case TransStatus::prepared:
      return false;
    case TransStatus::submitted:
      return from == TransStatus::prepared;
    case TransStatus::aborting:
    case TransStatus::succeed:  // A workflow succeeds without having been submitted.
      return from == TransStatus::prepared || from == TransStatus::submitted;
    case TransStatus::failed:
      return !is_final(from);
  }
  return false;
}

/// Options of a transaction (protocol page 02, section 3). A zero duration or count means the
/// coordinator's default.
struct TransOptions {
  bool wait_result = false;
  bool concurrent = false;  ///< for msg and saga; over the wire a saga has it in custom_data
  std::chrono::seconds timeout_to_fail{};
  std::chrono::seconds request_timeout{};
  std::chrono::seconds retry_interval{};
  std::int64_t retry_limit = 0;
  std::map<std::string, std::string> branch_headers;

  friend bool operator==(const TransOptions&, const TransOptions&) = default;
};

/// A row: one op of a branch. The payload is Transaction::payloads[payload], so that an action and
/// its compensation share one copy.
struct Branch {
  BranchId branch_id;
  std::string op;
  std::string url;
  std::uint32_t payload = 0;
  BranchStatus status = BranchStatus::prepared;
  std::optional<WallTime> create_time;
  std::optional<WallTime> update_time;
  std::optional<WallTime> finish_time;

  friend bool operator==(const Branch&, const Branch&) = default;
};

/// A global transaction with its branches in creation order.
struct Transaction {
  Gid gid;
  TransType type = TransType::saga;
  TransStatus status = TransStatus::prepared;
  Protocol protocol = Protocol::http;
  TransOptions options;
  std::string query_prepared;
  std::string custom_data;  ///< JSON text, see protocol page 05
  std::string result;       ///< workflow only
  std::string rollback_reason;

  WallTime create_time{};
  WallTime update_time{};
  std::optional<WallTime> submit_time;
  std::optional<WallTime> finish_time;
  std::optional<WallTime> rollback_time;

  std::chrono::seconds next_cron_interval{};
  WallTime next_cron_time{};
  /// Whether the transaction waits for next_cron_time (a retry, an ongoing branch, a delay), also
  /// after a restart. If it does not, a restart resumes a submitted or aborting transaction at
  /// once.
  bool waits = false;
  std::int64_t retry_count = 0;

  std::vector<std::string> payloads;
  std::vector<Branch> branches;

  friend bool operator==(const Transaction&, const Transaction&) = default;
};

/// The result of a call: branches[index] gets this status.
struct BranchChange {
  std::uint32_t index = 0;
  BranchStatus status = BranchStatus::prepared;
  WallTime at{};

  friend bool operator==(const BranchChange&, const BranchChange&) = default;
};

/// Another URL or payload of a row that has not been done: branches[index] gets those that are
/// here.
struct RowEdit {
  std::uint32_t index = 0;
  std::optional<std::string> url;
  std::optional<std::uint32_t> payload;  ///< an index into old and new payloads
  WallTime at{};

  friend bool operator==(const RowEdit&, const RowEdit&) = default;
};

/// When the next pass of a transaction begins.
struct Schedule {
  std::chrono::seconds interval{};
  WallTime time{};
  bool waits = false;

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// A change of a transaction, field by field. Absent fields stay as they are.
struct TransDelta {
  WallTime at{};  ///< becomes update_time, and finish_time or rollback_time with a final status
  std::optional<TransStatus> status;
  std::optional<std::string> rollback_reason;
  std::optional<std::string> result;
  std::optional<std::string> custom_data;
  std::optional<TransOptions> options;
  std::optional<WallTime> submit_time;
  std::optional<Schedule> schedule;
  std::optional<std::int64_t> retry_count;
  std::vector<BranchChange> branch_changes;
  std::vector<std::string> new_payloads;  ///< appended to payloads, before new_branches
  std::vector<Branch> new_branches;  ///< appended; `payload` is an index into old and new payloads
  /// Before branch_changes. An old payload that no row has any more becomes empty.
  std::vector<RowEdit> row_edits;

  friend bool operator==(const TransDelta&, const TransDelta&) = default;
};

/// Changes `trans` as `delta` says. The engine and every store use this function. The indexes in
/// `delta` must be in range (see `fits`).
CONCERTO_EXPORT void apply(Transaction& trans, const TransDelta& delta);

/// Whether every index of `delta` exists in `trans`.
CONCERTO_EXPORT bool fits(const Transaction& trans, const TransDelta& delta) noexcept;

}  // namespace concerto
