#pragma once

#include <string_view>

namespace concerto {

/// Parts of the errors of a coordinator that an embedder may replace, because some clients compare
/// texts. The views outlive the coordinator.
struct Wording {
  /// Follows `current status`, the status and a comma.
  std::string_view cannot_submit = "cannot submit.";
  /// Followed by the type that the request names.
  std::string_view unknown_trans_type = "unknown trans type: ";
  /// A branch call has ended in an error, whose text follows.
  std::string_view unknown_result = "the branch call has no defined result and will be retried: ";
  /// The awaited pass has ended, and the transaction has not succeeded. Must end in FAILURE, as all
  /// errors of this class do.
  std::string_view not_success = "the transaction has not succeeded: FAILURE";
  std::string_view no_such_topic = "no such topic";
  std::string_view no_such_url = "no such url";
};

}  // namespace concerto
