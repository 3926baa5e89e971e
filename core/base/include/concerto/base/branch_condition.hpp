#pragma once

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// What an error of a branch's work says for the transaction, whichever module the error is from:
/// `error.code == BranchCondition::failure`. All other errors leave open how the work ended.
enum class BranchCondition {
  failure = 1,  ///< the branch did not and will not do its part: FAILURE
  ongoing,      ///< the branch is not finished: ONGOING
};

CONCERTO_EXPORT boost::system::error_condition make_error_condition(
    BranchCondition condition) noexcept;

/// For the category of a module with both kinds of errors: whether the code `value` has
/// `condition`. `failure` and `ongoing` are the module's codes.
CONCERTO_EXPORT bool has_branch_condition(int value,
                                          const boost::system::error_condition& condition,
                                          int failure, int ongoing) noexcept;

}  // namespace concerto

template <>
struct boost::system::is_error_condition_enum<concerto::BranchCondition> : std::true_type {};
