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

/// A validated request to create or submit a transaction: nothing of it is stored yet.
struct Draft {
  const Mode* mode = nullptr;
  CustomData custom;
  Transaction trans;  ///< with branches, options and texts; without status and times
  std::map<std::string, std::string> extra;  ///< the request's
};

/// Checks everything a request says (page 09, F10) and lays out its branches; what `branches` could
/// never call is refused. The error names field and value.
Result<Draft> make_draft(TransRequest request, const ModeTable& modes, const BranchCaller& branches,
                         const Wording& wording);

/// The stored options with what the submit names (page 02, section 5.2).
TransOptions merged(TransOptions stored, const TransOptions& named);

/// The end of a workflow that its submit names. Error unless it is one.
Result<StatusChange> submitted_end(std::map<std::string, std::string> extra);

/// A validated request to register a branch: nothing of it is stored yet.
struct BranchDraft {
  const Mode* mode = nullptr;  ///< whose branch it is
  std::vector<Branch> rows;    ///< without times; all with the request's payload
};

/// Error invalid_entry names what is wrong.
Result<BranchDraft> make_branch_draft(const BranchRequest& request, const ModeTable& modes,
                                      const Wording& wording);

/// Error unless `gid` has 1 to 128 characters, and no control characters.
Result<> check_gid(const Gid& gid);

/// `text` cut to rollback_reason_bytes_max on a character boundary.
std::string truncated_reason(std::string text);

}  // namespace concerto
