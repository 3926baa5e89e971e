#include <string>

#include "passes.hpp"

namespace concerto {
namespace {

std::string unknown_result(const Wording& wording, const Error& error) {
  return std::string(wording.unknown_result) + error.detail;
}

}  // namespace

/// What the waiters are told after a pass (page 02, section 5.3).
Result<> Passes::answer(const LiveTrans& live) const {
  const Transaction& trans = live.trans;
  if (trans.status == TransStatus::succeed) return ok();
  const Reports reports = live.mode->reports;
  if (reports != Reports::nothing && !is_final(trans.status)) {
    const std::optional<Trouble>& worst = live.pass.worst;
    const Outcome outcome = live.pass.worst_outcome();
    if (outcome == Outcome::failure) {
      return make_error(EngineErrc::branch_failure,
                        unknown_result(env_.options.wording, worst->error));
    }
    if (outcome == Outcome::error) {
      return Error{worst->error.code, unknown_result(env_.options.wording, worst->error)};
    }
    if (outcome == Outcome::ongoing && reports == Reports::errors_and_ongoing) {
      return make_error(EngineErrc::branch_ongoing, "ONGOING");
    }
  }
  return answer_of(trans);
}

Result<> Passes::answer_of(const Transaction& trans) const {
  if (trans.status == TransStatus::succeed) return ok();
  if (!trans.rollback_reason.empty()) {
    return make_error(EngineErrc::trans_failed, with_failure_suffix(trans.rollback_reason));
  }
  return make_error(EngineErrc::result_not_success, std::string(env_.options.wording.not_success));
}

}  // namespace concerto
