#include "draft.hpp"

#include <limits>

#include "text.hpp"

namespace concerto {
namespace {

constexpr std::int64_t seconds_max = std::numeric_limits<std::int32_t>::max();

Error invalid(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

Result<> check_range(const char* field, std::int64_t value) {
  if (value >= 0 && value <= seconds_max) return ok();
  return invalid(std::string(field) + " must be from 0 to " + std::to_string(seconds_max) +
                 ", not " + std::to_string(value));
}

Result<> check_length(const std::string& field, std::size_t length, std::size_t limit) {
  if (length <= limit) return ok();
  return invalid(field + " has " + std::to_string(length) + " bytes, at most " +
                 std::to_string(limit) + " are allowed");
}

Result<> check_options(const TransOptions& options) {
  CONCERTO_CHECK(check_range("timeout_to_fail", options.timeout_to_fail.count()));
  CONCERTO_CHECK(check_range("request_timeout", options.request_timeout.count()));
  CONCERTO_CHECK(check_range("retry_interval", options.retry_interval.count()));
  return check_range("retry_limit", options.retry_limit);
}

Result<> check_steps(const TransRequest& request) {
  if (request.steps.size() > steps_max) {
    return invalid("steps has " + std::to_string(request.steps.size()) + " entries, at most " +
                   std::to_string(steps_max) + " are allowed");
  }
  if (request.payloads.size() < request.steps.size()) {
    return invalid("payloads has " + std::to_string(request.payloads.size()) + " entries for " +
                   std::to_string(request.steps.size()) + " steps");
  }
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const std::string step = "steps[" + std::to_string(i) + "].";
    CONCERTO_CHECK(check_length(step + "action", request.steps[i].action.size(), url_bytes_max));
    CONCERTO_CHECK(
        check_length(step + "compensate", request.steps[i].compensate.size(), url_bytes_max));
  }
  return ok();
}

}  // namespace

Result<> check_gid(const Gid& gid) {
  if (gid.empty()) return invalid("gid is empty");
  return check_length("gid", gid.str().size(), gid_bytes_max);
}

Result<Draft> make_draft(TransRequest request, const ModeTable& modes) {
  CONCERTO_CHECK(check_gid(request.gid));
  Draft draft;
  draft.mode = modes.find(request.trans_type);
  if (draft.mode == nullptr) return invalid("unknow trans type: " + request.trans_type);
  const auto protocol = protocol_from(request.protocol);
  if (!protocol) return invalid("protocol '" + request.protocol + "' is unknown");
  CONCERTO_CHECK(check_options(request.options));
  if (draft.mode->expand == nullptr) {
    request.steps.clear();
    request.payloads.clear();
  }
  CONCERTO_CHECK(check_steps(request));
  CONCERTO_CHECK(check_length("query_prepared", request.query_prepared.size(), url_bytes_max));
  CONCERTO_CHECK(check_length("custom_data", request.custom_data.size(), custom_data_bytes_max));
  // A submit may leave out the steps of a prepared transaction; its custom_data is then checked
  // against the stored ones.
  const std::size_t step_count = request.steps.empty() ? steps_max : request.steps.size();
  CONCERTO_TRY(draft.custom, parse_custom_data(draft.mode->type, request.custom_data, step_count));
  Transaction& trans = draft.trans;
  trans.type = draft.mode->type;
  trans.protocol = *protocol;
  if (draft.mode->expand != nullptr) CONCERTO_CHECK(draft.mode->expand(request, trans));
  request.payloads.resize(request.steps.size());
  trans.gid = std::move(request.gid);
  trans.payloads = std::move(request.payloads);
  trans.options = std::move(request.options);
  trans.query_prepared = std::move(request.query_prepared);
  trans.custom_data = std::move(request.custom_data);
  draft.extra = std::move(request.extra);
  return draft;
}

Result<StatusChange> submitted_end(std::map<std::string, std::string> extra) {
  const std::string& text = extra["status"];
  const auto status = trans_status_from(text);
  if (!status || !is_final(*status)) {
    return invalid("req_extra.status must be 'succeed' or 'failed', not '" + text + "'");
  }
  std::string& result = extra["result"];
  CONCERTO_CHECK(check_length("req_extra.result", result.size(), result_bytes_max));
  return StatusChange{*status, std::move(extra["rollback_reason"]), std::move(result)};
}

Result<BranchDraft> make_branch_draft(const BranchRequest& request, const ModeTable& modes) {
  CONCERTO_CHECK(check_gid(request.gid));
  const auto invalid_branch = [](std::string text) {
    return make_error(Errc::invalid_entry, std::move(text));
  };
  BranchDraft draft;
  draft.mode = modes.find(request.trans_type);
  if (draft.mode == nullptr || draft.mode->register_branch == nullptr) {
    return invalid_branch("unknow trans type: " + request.trans_type);
  }
  if (request.branch_id.empty()) return invalid_branch("branch_id is empty");
  if (request.branch_id.size() > branch_id_bytes_max) {
    return invalid_branch("branch_id has " + std::to_string(request.branch_id.size()) +
                          " bytes, at most " + std::to_string(branch_id_bytes_max) +
                          " are allowed");
  }
  CONCERTO_CHECK(draft.mode->register_branch(request, draft.rows));
  return draft;
}

std::string truncated_reason(std::string text) {
  return cut_text(std::move(text), rollback_reason_bytes_max);
}

}  // namespace concerto
