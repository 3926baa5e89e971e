#pragma once

#include <string_view>

namespace concerto {

/// Parts of a coordinator's errors for which its owner may need other words than plain English:
/// some clients compare texts. The views outlive the coordinator.
struct Wording {
  /// After `current status 'succeed', `.
  std::string_view cannot_submit = "cannot submit.";
  /// The type that the request names follows.
  std::string_view unknown_trans_type = "unknown trans type: ";
  /// A branch call has ended in no defined result; its error follows.
  std::string_view unknown_result = "the branch call has no defined result and will be retried: ";
  /// The awaited pass has ended, and the transaction has not. Ends in FAILURE, as all errors of its
  /// class do.
  std::string_view not_success = "the transaction has not succeeded: FAILURE";
  std::string_view no_such_topic = "no such topic";
  std::string_view no_such_url = "no such url";
};

}  // namespace concerto
