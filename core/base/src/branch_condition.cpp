#include <concerto/base/branch_condition.hpp>

namespace concerto {
namespace {

class BranchConditionCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.branch_condition"; }
  std::string message(int value) const override {
    return value == static_cast<int>(BranchCondition::failure) ? "FAILURE" : "ONGOING";
  }
};

}  // namespace

boost::system::error_condition make_error_condition(BranchCondition condition) noexcept {
  static const BranchConditionCategory category;
  return {static_cast<int>(condition), category};
}

bool has_branch_condition(int value, const boost::system::error_condition& condition, int failure,
                          int ongoing) noexcept {
  if (condition == make_error_condition(BranchCondition::failure)) return value == failure;
  return condition == make_error_condition(BranchCondition::ongoing) && value == ongoing;
}

}  // namespace concerto
