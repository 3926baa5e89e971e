// Workflow (protocol page 05, section 7). The application runs the workflow and registers the
// results of its steps. The coordinator keeps these results, and calls the application until it has
// submitted the end.

#include <concerto/base/base64.hpp>
#include <concerto/engine/mode.hpp>

#include "text.hpp"

namespace concerto {
namespace {

constexpr std::string_view fields[] = {"op", "status"};

Result<> read_custom(JsonValue object, std::size_t /*step_count*/, CustomData& custom) {
  const auto name = object.find("name");
  if (!name || !name->is(JsonKind::text)) return bad_custom_data("name is not a string");
  custom.name = name->text();
  const auto input = object.find("data");
  if (!input || input->is(JsonKind::null)) return ok();
  if (!input->is(JsonKind::text)) return bad_custom_data("data is not a string");
  auto decoded = base64_decode(input->text());
  if (!decoded) return bad_custom_data("data is not base64");
  custom.data = std::move(*decoded);
  return ok();
}

std::string field(const BranchRequest& request, const char* name) {
  const auto found = request.fields.find(name);
  return found == request.fields.end() ? std::string() : found->second;
}

Result<> register_branch(const BranchRequest& request, std::vector<Branch>& rows) {
  const std::string op = field(request, "op");
  const std::size_t chars = count_chars(op);
  if (chars == 0 || chars > op_chars_max) {
    return make_error(EngineErrc::invalid_entry, "op has " + std::to_string(chars) +
                                                     " characters, 1 to " +
                                                     std::to_string(op_chars_max) + " are allowed");
  }
  const std::string text = field(request, "status");
  const auto status = branch_status_from(text);
  if (!status) {
    return make_error(
        EngineErrc::invalid_entry,
        "status must be 'prepared', 'succeed' or 'failed', not '" + excerpt(text) + "'");
  }
  CONCERTO_CHECK(add_registered_row(request, op, "", rows));
  rows.back().status = *status;
  return ok();
}

Next next(const TransView& view) {
  Next next;
  next.ask_application = !is_final(view.trans.status) && view.query == RunState::idle;
  return next;
}

/// No branch is called.
Effect effect(const Transaction&, const Branch&, Outcome) {
  return Effect::retry_later;
}

}  // namespace

constinit const Mode modes::workflow{
    .type = TransType::workflow,
    .name = "workflow",
    .read_custom = read_custom,
    .register_branch = register_branch,
    .registered_fields = fields,
    .next = next,
    .effect = effect,
    .application_call = ApplicationCall::resumes,
};

}  // namespace concerto
