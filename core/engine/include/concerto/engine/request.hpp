#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concerto/engine/error.hpp>
#include <concerto/engine/trace.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// One step of a saga or a msg. A msg has no compensation.
struct Step {
  std::string action;
  std::string compensate;
};

/// A request about a transaction, as a front end has read it (protocol page 02, section 3). The
/// coordinator validates it, so the same request fails with the same error through every front end.
struct TransRequest {
  Gid gid;
  std::string trans_type;
  std::string protocol;  ///< empty means http
  std::vector<Step> steps;
  std::vector<std::string> payloads;  ///< payload i belongs to step i; further ones are ignored
  std::string custom_data;
  std::string query_prepared;
  std::string rollback_reason;
  /// Subscribers of the topics that steps name; filled in by the coordinator.
  std::map<std::string, std::vector<std::string>, std::less<>> topics;
  /// `status`, `result` and `rollback_reason` with which a workflow ends.
  std::map<std::string, std::string> extra;
  TransOptions options;
  /// The trace that is stored with a new transaction. The coordinator fills in `parent`: that of
  /// the request's context, or of a trace that it begins. Few requests have one.
  std::optional<TraceContext> trace;
  /// Read from the wire of the protocol, where `concurrent` of a saga counts in custom_data alone.
  bool from_wire = false;
};

/// A branch to be registered with a prepared transaction, as a front end has read it (protocol page
/// 02, section 4.6). The coordinator validates it.
struct BranchRequest {
  Gid gid;
  std::string trans_type;
  std::string branch_id;
  std::string payload;
  /// The other fields: `confirm` and `cancel` of tcc, `url` of xa, `op` and `status` of workflow.
  std::map<std::string, std::string> fields;
  /// Read from the wire of the protocol, where fields that no mode knows are ignored. Otherwise
  /// they are an error.
  bool from_wire = false;
};

/// A row of a transaction: one op of a branch. If an operator leaves a member empty, a row is meant
/// that is called next. Warning: when such a request is repeated because its outcome is not known,
/// that may be another row. Whoever changes something on behalf of others has to name both.
struct BranchRow {
  std::string branch_id;
  std::string op;

  friend bool operator==(const BranchRow&, const BranchRow&) = default;
};

/// Another URL or payload of a row, or both: what an operator asks for.
struct BranchEdit {
  Gid gid;
  BranchRow row;
  std::optional<std::string> url;
  std::optional<std::string> payload;
};

/// What an edit has changed, or would change.
struct BranchEdited {
  std::uint32_t index = 0;  ///< of the row
  BranchRow row;
  std::string url_before, url;  ///< masked
  std::size_t payload_bytes_before = 0, payload_bytes = 0;
  Transaction trans;  ///< before the change, without branches and payloads
};

/// Limits of the parts of a request, each far above what clients of the protocol send. Where the
/// stores of the reference count characters, the limit counts characters too.
inline constexpr std::size_t url_bytes_max = 8 * 1024;
inline constexpr std::size_t branch_id_chars_max = 128;
inline constexpr std::size_t op_chars_max = 45;
inline constexpr std::size_t custom_data_bytes_max = 64 * 1024;
inline constexpr std::size_t result_bytes_max = 64 * 1024;
inline constexpr std::size_t rollback_reason_bytes_max = 1024;
inline constexpr std::size_t steps_max = 10'000;
inline constexpr std::size_t branches_max = 2 * steps_max;
inline constexpr std::size_t payloads_max = 2 * steps_max;
/// The payloads of all branches that are registered with one transaction.
inline constexpr std::size_t registered_bytes_max = std::size_t{32} << 20;
inline constexpr std::size_t branch_headers_max = 256;
inline constexpr std::size_t branch_headers_bytes_max = 32 * 1024;  ///< names and values
inline constexpr std::size_t req_extra_fields_max = 64;
inline constexpr std::size_t branch_fields_max = 64;  ///< of registerBranch
inline constexpr std::size_t topic_chars_max = 128;
inline constexpr std::size_t remark_bytes_max = 1024;
inline constexpr std::size_t subscribers_max = 1'000;          ///< of a topic
inline constexpr std::size_t subscribers_bytes_max = 1 << 20;  ///< of the list, as it is stored

}  // namespace concerto
