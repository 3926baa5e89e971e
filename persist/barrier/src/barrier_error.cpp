#include <concerto/barrier/barrier_error.hpp>
#include <concerto/base/branch_condition.hpp>

namespace concerto {
namespace {

struct Meaning {
  const char* text;
  Condition condition;
};

Meaning meaning_of(BarrierErrc code) {
  switch (code) {
    case BarrierErrc::failure:
      return {"the branch refuses", Condition::rejected};
    case BarrierErrc::ongoing:
      return {"the branch is not finished", Condition::retry_later};
    case BarrierErrc::duplicated:
      return {"done or given up before", Condition::rejected};
    case BarrierErrc::wrong_state:
      return {"wrong state of the connection", Condition::rejected};
    case BarrierErrc::database_failed:
      return {"the database failed", Condition::retry_later};
    case BarrierErrc::commit_unknown:
      return {"it is not known whether the work was committed", Condition::outcome_unknown};
  }
  return {"unknown error", Condition::outcome_unknown};
}

class BarrierCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.barrier"; }
  std::string message(int value) const override {
    return meaning_of(static_cast<BarrierErrc>(value)).text;
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(meaning_of(static_cast<BarrierErrc>(value)).condition);
  }
  bool equivalent(int value,
                  const boost::system::error_condition& condition) const noexcept override {
    return default_error_condition(value) == condition ||
           has_branch_condition(value, condition, static_cast<int>(BarrierErrc::failure),
                                static_cast<int>(BarrierErrc::ongoing));
  }
};

}  // namespace

const boost::system::error_category& barrier_category() noexcept {
  static const BarrierCategory category;
  return category;
}

boost::system::error_code make_error_code(BarrierErrc code) noexcept {
  return {static_cast<int>(code), barrier_category()};
}

}  // namespace concerto
