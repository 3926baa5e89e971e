// XA (protocol page 05, section 6).

#include "modes/second_phase.hpp"

namespace concerto {
namespace {

Result<> register_branch(const BranchRequest& request, std::vector<Branch>& rows) {
  CONCERTO_CHECK(add_registered_row(request, "rollback", "url", rows));
  return add_registered_row(request, "commit", "url", rows);
}

Next next(const TransView& view) {
  return next_of_second_phase(view,
                              {.forward = "commit", .backward = "rollback", .newest_first = false});
}

}  // namespace

const Mode modes::xa{
    .type = TransType::xa,
    .name = "xa",
    .expand = nullptr,
    .register_branch = register_branch,
    .next = next,
    .effect = effect_in_second_phase,
    .times_out_in = TransStatus::prepared,
    .has_default_timeout = true,
    .reports = Reports::errors_and_ongoing,
    .initiator_call = InitiatorCall::none,
    .aborts_to = TransStatus::aborting,
};

}  // namespace concerto
