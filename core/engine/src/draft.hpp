#pragma once

#include <map>
#include <string>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>
#include <concerto/engine/wording.hpp>

namespace concerto {

/// A validated request to create or submit a transaction. Nothing of it is stored yet.
struct Draft {
  const Mode* mode = nullptr;
  CustomData custom;
  std::optional<TraceContext> trace;  ///< stored with a new transaction, see keep_trace
  bool keeps_trace = false;
  Transaction trans;  ///< with branches, options and texts; without status and times
  std::map<std::string, std::string> extra;  ///< the extra fields of the request
};

/// Checks everything in a request (page 09, F10) and makes its branches. URLs that `branches` could
/// never call are refused. The error names field and value.
Result<Draft> make_draft(TransRequest&& request, const ModeTable& modes,
                         const BranchCaller& branches, const Wording& wording);

/// Puts the trace of the request among the headers for branches, where it is stored.
void keep_trace(Draft& draft);
/// Undoes keep_trace: the transaction exists, and has its own trace.
void forget_trace(Draft& draft);

/// The stored options, replaced where the submit names others (page 02, section 5.2). A stored
/// trace stays.
TransOptions merged(TransOptions stored, const TransOptions& named);

/// The end of a workflow, from the submit that names it. Error if `extra` names no end.
Result<StatusChange> submitted_end(std::map<std::string, std::string> extra);

/// A validated request to register a branch. Nothing of it is stored yet.
struct BranchDraft {
  const Mode* mode = nullptr;  ///< the mode that the request names
  std::vector<Branch> rows;    ///< without times; all rows have the payload of the request
};

/// Error invalid_entry names what is wrong.
Result<BranchDraft> make_branch_draft(const BranchRequest& request, const ModeTable& modes,
                                      const Wording& wording);

/// Error unless `gid` has 1 to 128 characters, and no control characters.
Result<> check_gid(const Gid& gid);

/// `text` cut to rollback_reason_bytes_max on a character boundary.
std::string truncated_reason(std::string text);

}  // namespace concerto
