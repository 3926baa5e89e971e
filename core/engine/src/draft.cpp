#include "draft.hpp"

#include <algorithm>
#include <limits>

#include <concerto/base/masked_url.hpp>

#include "sendable.hpp"
#include "text.hpp"
#include "tracing.hpp"

namespace concerto {
namespace {

constexpr std::int64_t seconds_max = std::numeric_limits<std::int32_t>::max();

Error invalid(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

std::string unknown_type(std::string_view type, const Wording& wording) {
  return std::string(wording.unknown_trans_type) + excerpt(type);
}

Result<> check_range(const char* field, std::int64_t value) {
  if (value >= 0 && value <= seconds_max) return ok();
  return invalid(std::string(field) + " must be from 0 to " + std::to_string(seconds_max) +
                 ", not " + std::to_string(value));
}

Error too_many(const std::string& field, std::size_t count, const char* what, std::size_t limit) {
  return invalid(field + " has " + std::to_string(count) + " " + what + ", at most " +
                 std::to_string(limit) + " are allowed");
}

Result<> check_length(const char* field, std::size_t length, std::size_t limit) {
  return length <= limit ? ok() : Result<>(too_many(field, length, "bytes", limit));
}

/// Refuses headers that no transport can send, and too many of them.
Result<> check_headers(const std::map<std::string, std::string>& headers) {
  if (headers.size() > branch_headers_max) {
    return too_many("branch_headers", headers.size(), "entries", branch_headers_max);
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    bytes += name.size() + value.size();
    if (name.empty() || has_control(name)) {
      return invalid("branch_headers has '" + excerpt(name) + "', which is no name of a header");
    }
    // A tab is the only control character that a header may have.
    const bool breaks = std::any_of(value.begin(), value.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
    if (breaks) {
      return invalid("the value of branch_headers '" + excerpt(name) + "' has control characters");
    }
  }
  return check_length("branch_headers", bytes, branch_headers_bytes_max);
}

Result<> check_options(const TransOptions& options) {
  CONCERTO_CHECK(check_range("timeout_to_fail", options.timeout_to_fail.count()));
  CONCERTO_CHECK(check_range("request_timeout", options.request_timeout.count()));
  CONCERTO_CHECK(check_range("retry_interval", options.retry_interval.count()));
  CONCERTO_CHECK(check_range("retry_limit", options.retry_limit));
  return check_headers(options.branch_headers);
}

Result<> check_steps(const TransRequest& request) {
  if (request.steps.size() > steps_max) {
    return too_many("steps", request.steps.size(), "entries", steps_max);
  }
  if (request.payloads.size() > payloads_max) {
    return too_many("payloads", request.payloads.size(), "entries", payloads_max);
  }
  if (request.payloads.size() < request.steps.size()) {
    return invalid("payloads has " + std::to_string(request.payloads.size()) + " entries for " +
                   std::to_string(request.steps.size()) + " steps");
  }
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const auto field = [i](const char* name) { return "steps[" + std::to_string(i) + "]." + name; };
    const Step& step = request.steps[i];
    if (step.action.size() > url_bytes_max) {
      return too_many(field("action"), step.action.size(), "bytes", url_bytes_max);
    }
    if (step.compensate.size() > url_bytes_max) {
      return too_many(field("compensate"), step.compensate.size(), "bytes", url_bytes_max);
    }
  }
  return ok();
}

/// Refuses a field that the mode does not read. It would never be called if it is a misspelt URL.
Result<> check_fields(const BranchRequest& request, const Mode& mode) {
  const auto known = mode.registered_fields;
  if (known.empty()) return ok();
  for (const auto& [name, value] : request.fields) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string text = "fields has '" + excerpt(name) + "' with the value '" +
                       excerpt(masked_urls(value)) + "'; " + std::string(mode.name) + " has only";
    for (const std::string_view field : known) text.append(" '").append(field).append("'");
    return make_error(EngineErrc::invalid_entry, std::move(text));
  }
  return ok();
}

/// `custom_data` with `"concurrent":true`, if it can have that.
Result<std::string> with_concurrent(std::string custom_data) {
  constexpr std::string_view member = R"("concurrent":true)";
  JsonTree tree;
  if (!custom_data.empty() && !tree.parse(custom_data)) return custom_data;  // Refused later.
  if (custom_data.empty() || tree.root().is(JsonKind::null)) return "{" + std::string(member) + "}";
  if (!tree.root().is(JsonKind::object)) return custom_data;
  if (const auto own = tree.root().find("concurrent")) {
    if (!own->is(JsonKind::boolean) || own->boolean()) return custom_data;
    return bad_custom_data("concurrent is false, and true in the options");
  }
  const std::size_t inside = custom_data.find('{') + 1;
  const bool is_empty = custom_data.find_first_not_of(" \t\r\n", inside) == custom_data.rfind('}');
  custom_data.insert(inside, std::string(member) + (is_empty ? "" : ","));
  return custom_data;
}

}  // namespace

Result<> check_gid(const Gid& gid) {
  if (gid.empty()) return invalid("gid is empty");
  if (gid.view().size() <= gid_chars_max && is_plain(gid.view())) return ok();
  const std::size_t chars = count_chars(gid.view());
  if (chars > gid_chars_max) return too_many("gid", chars, "characters", gid_chars_max);
  // Text that is not UTF-8 may have more bytes than that.
  CONCERTO_CHECK(check_length("gid", gid.view().size(), gid_bytes_max));
  if (has_control(gid.view())) return invalid("gid has control characters");
  return ok();
}

Result<Draft> make_draft(TransRequest&& request, const ModeTable& modes,
                         const BranchCaller& branches, const Wording& wording) {
  CONCERTO_CHECK(check_gid(request.gid));
  Result<Draft> made(boost::system::in_place_value);
  Draft& draft = *made;
  draft.mode = modes.find(request.trans_type);
  if (draft.mode == nullptr) return invalid(unknown_type(request.trans_type, wording));
  const auto protocol = protocol_from(request.protocol);
  if (!protocol) return invalid("protocol '" + excerpt(request.protocol) + "' is unknown");
  CONCERTO_CHECK(check_options(request.options));
  if (request.extra.size() > req_extra_fields_max) {
    return too_many("req_extra", request.extra.size(), "entries", req_extra_fields_max);
  }
  if (draft.mode->expand == nullptr) {
    request.steps.clear();
    request.payloads.clear();
  }
  CONCERTO_CHECK(check_steps(request));
  CONCERTO_CHECK(check_length("query_prepared", request.query_prepared.size(), url_bytes_max));
  CONCERTO_CHECK(check_length("custom_data", request.custom_data.size(), custom_data_bytes_max));
  if (request.options.concurrent && draft.mode->has_custom_concurrent && !request.from_wire) {
    CONCERTO_TRY(request.custom_data, with_concurrent(std::move(request.custom_data)));
  }
  // A submit of a prepared transaction may leave out the steps. Its custom_data is checked later,
  // against the stored steps.
  const std::size_t step_count = request.steps.empty() ? steps_max : request.steps.size();
  CONCERTO_TRY(draft.custom, parse_custom_data(*draft.mode, request.custom_data, step_count));
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
  draft.trace = std::move(request.trace);
  CONCERTO_CHECK(check_sendable(branches, *draft.mode, trans, draft.custom));
  return made;
}

void keep_trace(Draft& draft) {
  if (!draft.trace) return;
  draft.keeps_trace |= add_trace(draft.trans.options.branch_headers, *draft.trace);
}

void forget_trace(Draft& draft) {
  if (std::exchange(draft.keeps_trace, false)) remove_trace(draft.trans.options.branch_headers);
}

TransOptions merged(TransOptions stored, const TransOptions& named) {
  stored.wait_result |= named.wait_result;
  stored.concurrent |= named.concurrent;
  if (named.timeout_to_fail.count() != 0) stored.timeout_to_fail = named.timeout_to_fail;
  if (named.request_timeout.count() != 0) stored.request_timeout = named.request_timeout;
  if (named.retry_interval.count() != 0) stored.retry_interval = named.retry_interval;
  if (named.retry_limit != 0) stored.retry_limit = named.retry_limit;
  if (!named.branch_headers.empty()) {
    stored.branch_headers = with_stored_trace(named.branch_headers, stored.branch_headers);
  }
  return stored;
}

Result<StatusChange> submitted_end(std::map<std::string, std::string> extra) {
  const std::string& text = extra["status"];
  const auto status = trans_status_from(text);
  if (!status || !is_final(*status)) {
    return invalid("req_extra.status must be 'succeed' or 'failed', not '" + excerpt(text) + "'");
  }
  std::string& result = extra["result"];
  CONCERTO_CHECK(check_length("req_extra.result", result.size(), result_bytes_max));
  return StatusChange{*status, std::move(extra["rollback_reason"]), std::move(result)};
}

Result<BranchDraft> make_branch_draft(const BranchRequest& request, const ModeTable& modes,
                                      const Wording& wording) {
  CONCERTO_CHECK(check_gid(request.gid));
  const auto invalid_branch = [](std::string text) {
    return make_error(EngineErrc::invalid_entry, std::move(text));
  };
  BranchDraft draft;
  draft.mode = modes.find(request.trans_type);
  if (draft.mode == nullptr || draft.mode->register_branch == nullptr) {
    return invalid_branch(unknown_type(request.trans_type, wording));
  }
  if (request.branch_id.empty()) return invalid_branch("branch_id is empty");
  const std::size_t chars = count_chars(request.branch_id);
  if (chars > branch_id_chars_max) {
    return invalid_branch(too_many("branch_id", chars, "characters", branch_id_chars_max).detail);
  }
  if (has_control(request.branch_id)) return invalid_branch("branch_id has control characters");
  if (request.fields.size() > branch_fields_max) {
    return invalid_branch(
        too_many("the branch", request.fields.size(), "fields", branch_fields_max).detail);
  }
  if (!request.from_wire) CONCERTO_CHECK(check_fields(request, *draft.mode));
  CONCERTO_CHECK(draft.mode->register_branch(request, draft.rows));
  return draft;
}

std::string truncated_reason(std::string text) {
  if (text.size() <= rollback_reason_bytes_max) return text;
  // A cut may separate a password from its @, by which it is known when the reason is shown.
  return cut_text(masked_urls(text), rollback_reason_bytes_max);
}

}  // namespace concerto
