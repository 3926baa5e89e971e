#include <algorithm>
#include <unordered_set>
#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/operator_api.hpp>
#include <concerto/protocol/parameters.hpp>

#include "api/audited.hpp"
#include "api/bulk_json.hpp"
#include "api/edit_json.hpp"
#include "api/error_answers.hpp"
#include "api/inspection_json.hpp"
#include "api/json_read.hpp"
#include "api/list_query.hpp"
#include "api/pending_outcome.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t groups_max = 100;
constexpr std::size_t reason_bytes_max = 1'024;

HttpResponse no_bulk() {
  return error_response(501, "this server has no actions on many transactions");
}

std::string audit_id_of(const HttpRequest& request) {
  return std::string(request.headers.find(audit_id_header).value_or(std::string_view{}));
}

/// The reason in the header, or in the query, counts where the body has none. An action has no
/// other parameter.
Result<> take_reason(const HttpRequest& request, std::string& reason) {
  CONCERTO_CHECK(check_parameters(request, {"reason"}));
  if (reason.empty()) reason = reason_of(request);
  if (reason.size() <= reason_bytes_max) return ok();
  return make_error(Errc::invalid_request, "reason has " + std::to_string(reason.size()) +
                                               " bytes, at most " +
                                               std::to_string(reason_bytes_max) + " are allowed");
}

/// After a resume: those that were held up are tried at once.
BulkRequest retry_of(const Pause& pause, const ModeTable& modes) {
  BulkRequest request;
  request.action = BulkAction::retry;
  request.reason = pause.reason;
  switch (pause.kind) {
    case PauseKind::mode:
      request.selection.type = modes.find(pause.value)->type;
      break;
    case PauseKind::topic:
      request.selection.topic = pause.value;
      break;
    case PauseKind::target:
      request.selection.trouble.target = pause.value;
      break;
  }
  return request;
}

/// The pause has ended, and the job that retries what it held up could not be begun.
HttpResponse resumed_without_retry(unsigned status) {
  HttpResponse response = error_response(
      status,
      "the pause has ended, but whether what it held up is retried at once is not known; "
      "it goes on by itself");
  response.headers.add(outcome_header, outcome_unknown);
  return response;
}

Result<std::string> job_id_in(std::string_view body) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(body, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return wrong_kind("the request body", "an object", parsed.root());
  }
  std::string id, reason;
  for (const JsonValue member : parsed.root()) {
    CONCERTO_CHECK(check_member(parsed.root(), member));
    if (member.key() == "id") {
      CONCERTO_CHECK(read_some_text("id", member, id));
    } else if (member.key() == "reason") {
      CONCERTO_CHECK(read_json("reason", member, reason));
    } else {
      return unknown_member("the request body", member.key());
    }
  }
  if (id.empty()) return make_error(Errc::invalid_request, "id: the name of a job is missing");
  return id;
}

}  // namespace

Task<HttpResponse> OperatorApi::count(HttpRequest request, RequestContext /*context*/) {
  if (bulk_ == nullptr) co_return no_bulk();
  const Result<> known = check_parameters(request, count_parameters);
  if (!known) co_return operator_answer(known.error());
  const auto selection = selection_from(request, clock_.wall_now(), coordinator_.modes());
  if (!selection) co_return operator_answer(selection.error());
  const auto by = count_by_from(request.query_value("by").value_or("status"));
  if (!by) co_return operator_answer(by.error());
  const auto counts = co_await bulk_->count(*selection, *by, groups_max);
  if (!counts) co_return operator_answer(counts.error());
  const std::size_t damaged = coordinator_.unreadable_count();
  co_return json_response(200, counts_json(*counts, damaged, zone_offset_));
}

Task<HttpResponse> OperatorApi::damaged(HttpRequest request, RequestContext /*context*/) {
  const Result<> known = check_parameters(request, {"position", "limit"});
  if (!known) co_return operator_answer(known.error());
  const Result<std::size_t> limit = list_limit(request);
  if (!limit) co_return operator_answer(limit.error());
  std::string position{request.query_value("position").value_or(std::string_view{})};
  const DamageReport report = co_await coordinator_.damage(*limit, std::move(position));
  co_return json_response(200, damage_json(report));
}

Task<HttpResponse> OperatorApi::retry(HttpRequest request, RequestContext context) {
  return act(BulkAction::retry, std::move(request), context);
}

Task<HttpResponse> OperatorApi::stop(HttpRequest request, RequestContext context) {
  return act(BulkAction::stop, std::move(request), context);
}

Task<HttpResponse> OperatorApi::skip(HttpRequest request, RequestContext context) {
  return act(BulkAction::skip, std::move(request), context);
}

Task<HttpResponse> OperatorApi::act(BulkAction action, HttpRequest request,
                                    RequestContext context) {
  auto body = action_body_from(request.body, action, clock_.wall_now(), coordinator_.modes());
  if (!body) co_return operator_answer(body.error());
  const Result<> reason = take_reason(request, body->request.reason);
  if (!reason) co_return operator_answer(reason.error());
  if (!body->has_select && body->dry_run) co_return co_await preview_some(std::move(*body));
  if (!body->gid.empty()) {
    const HeldUp is_held = co_await held_up_for(action);
    const Result<bool> held =
        co_await act_on(std::move(body->gid), body->request, context, is_held);
    if (!held) co_return operator_answer(held.error());
    co_return json_response(
        200, *held ? R"({"done":1,"failed":0,"held":1})" : R"({"done":1,"failed":0})");
  }
  if (!body->gids.empty()) {
    co_return co_await act_on_some(std::move(body->gids), std::move(body->request), context);
  }
  if (body->dry_run) co_return co_await preview(std::move(body->request));
  std::string audit_id = audit_id_of(request);
  co_return co_await begin(std::move(body->request), context, std::move(audit_id));
}

/// What a retry says besides; what it does, it does also if the pauses cannot be read.
Task<HeldUp> OperatorApi::held_up_for(BulkAction action) {
  HeldUp is_held;
  if (action != BulkAction::retry) co_return is_held;
  Result<HeldUp> read = co_await coordinator_.held_up();
  if (read) is_held = std::move(*read);
  co_return is_held;
}

/// True: it was done, and a pause holds up what the transaction does next. The reference retries
/// also what is finished, which does nothing. Who asks for it here is told.
Async<bool> OperatorApi::act_on(Gid gid, const BulkRequest& request, RequestContext context,
                                const HeldUp& is_held) {
  bool held = false;
  if (request.action == BulkAction::retry) {
    CONCERTO_CO_TRY(const std::optional<Transaction> found, co_await coordinator_.query(gid));
    if (found) CONCERTO_CO_CHECK(check_action(request, *found, coordinator_.modes()));
    held = found && is_held && is_held(*found);
  }
  CONCERTO_CO_CHECK(co_await carry_out(coordinator_, request, std::move(gid), context));
  co_return held;
}

Task<HttpResponse> OperatorApi::edit(HttpRequest request, RequestContext context) {
  auto body = edit_body_from(request.body);
  if (!body) co_return operator_answer(body.error());
  Result<> reason = take_reason(request, body->reason);
  if (reason && trim_blanks(body->reason).empty()) {
    reason = make_error(Errc::invalid_request, "reason: an edit needs one, and it is empty");
  }
  if (!reason) co_return operator_answer(reason.error());
  if (body->dry_run) {
    const auto told = co_await coordinator_.preview_edit(std::move(body->edit));
    if (!told) co_return operator_answer(told.error());
    co_return json_response(200, edit_preview_json(*told, zone_offset_, coordinator_.modes()));
  }
  const auto edited = co_await coordinator_.edit_branch(std::move(body->edit), context);
  if (!edited) co_return operator_answer(edited.error());
  co_return json_response(200, edited_json(*edited));
}

Task<HttpResponse> OperatorApi::preview(BulkRequest request) {
  if (bulk_ == nullptr) co_return no_bulk();
  const auto preview = co_await bulk_->preview(std::move(request));
  if (!preview) co_return operator_answer(preview.error());
  co_return json_response(200, preview_json(*preview, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::preview_some(ActionBody body) {
  const bool is_one = !body.gid.empty();
  if (is_one) {
    const auto found = co_await coordinator_.query(body.gid);
    if (!found) co_return operator_answer(found.error());
    if (!*found) {
      co_return error_response(404, "no TransGlobal with gid: " + body.gid.str() + " found");
    }
    body.gids.push_back(std::move(body.gid));
  }
  const auto preview =
      co_await preview_named(coordinator_, std::move(body.request), std::move(body.gids));
  if (!preview) co_return operator_answer(preview.error());
  co_return json_response(200, preview_json(*preview, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::begin(BulkRequest request, RequestContext context,
                                      std::string audit_id) {
  if (bulk_ == nullptr) co_return no_bulk();
  const auto job = co_await bulk_->begin(std::move(request), context, std::move(audit_id));
  if (!job) co_return operator_answer(job.error());
  co_return json_response(202, job_json(*job, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::act_on_some(std::vector<Gid> gids, BulkRequest request,
                                            RequestContext context) {
  BulkJob tally;
  std::size_t held = 0;
  const HeldUp is_held = co_await held_up_for(request.action);
  std::unordered_set<Gid> met;
  for (Gid& gid : gids) {
    if (!met.insert(gid).second) continue;
    const Result<bool> done = co_await act_on(gid, request, context, is_held);
    if (done) {
      ++tally.done;
      held += *done ? 1 : 0;
      continue;
    }
    ++tally.failed;
    if (tally.failures.size() < BulkJob::failures_max) {
      tally.failures.push_back({std::move(gid), client_text(done.error())});
    }
  }
  co_return json_response(200, acted_json(tally, held));
}

Task<HttpResponse> OperatorApi::jobs(HttpRequest request, RequestContext /*context*/) {
  if (bulk_ == nullptr) co_return no_bulk();
  const Result<> known = check_parameters(request, {"id", "limit"});
  if (!known) co_return operator_answer(known.error());
  const Result<std::size_t> limit = list_limit(request);
  if (!limit) co_return operator_answer(limit.error());
  std::string id{request.query_value("id").value_or(std::string_view{})};
  const bool is_one = !id.empty();
  const auto jobs = co_await bulk_->jobs(id, *limit);
  if (!jobs) co_return operator_answer(jobs.error());
  if (is_one && jobs->empty()) co_return error_response(404, "there is no job '" + id + "'");
  co_return json_response(200, jobs_json(*jobs, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::cancel_job(HttpRequest request, RequestContext /*context*/) {
  if (bulk_ == nullptr) co_return no_bulk();
  Result<std::string> id = job_id_in(request.body);
  if (!id) co_return operator_answer(id.error());
  std::string reason;
  const Result<> known = take_reason(request, reason);
  if (!known) co_return operator_answer(known.error());
  const auto job = co_await bulk_->cancel(*id);
  if (!job) co_return operator_answer(job.error());
  co_return json_response(200, job_json(*job, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::pauses(HttpRequest request, RequestContext /*context*/) {
  const Result<> known = check_parameters(request, {});
  if (!known) co_return operator_answer(known.error());
  const auto pauses = co_await coordinator_.pauses();
  if (!pauses) co_return operator_answer(pauses.error());
  if (bulk_ == nullptr) co_return json_response(200, pauses_json(*pauses, nullptr, zone_offset_));
  const auto counts = co_await bulk_->waiting_for(*pauses);
  if (!counts) co_return operator_answer(counts.error());
  co_return json_response(200, pauses_json(*pauses, &*counts, zone_offset_));
}

Task<HttpResponse> OperatorApi::pause(HttpRequest request, RequestContext context) {
  auto body = pause_body_from(request.body);
  if (!body) co_return operator_answer(body.error());
  const Result<> reason = take_reason(request, body->pause.reason);
  if (!reason) co_return operator_answer(reason.error());
  if (body->dry_run) {
    const Result<> right = co_await coordinator_.check_new_pause(body->pause);
    if (!right) co_return operator_answer(right.error());
    co_return co_await preview_pause(std::move(body->pause), false);
  }
  const auto paused = co_await coordinator_.pause(std::move(body->pause), context);
  if (!paused) co_return operator_answer(paused.error());
  co_return json_response(200, pause_json(*paused, zone_offset_));
}

/// The pause ends also if no job can be begun. Then those that it held up go on by themselves.
Task<HttpResponse> OperatorApi::resume(HttpRequest request, RequestContext context) {
  auto body = pause_body_from(request.body);
  if (!body) co_return operator_answer(body.error());
  Pause& pause = body->pause;
  const Result<> reason = take_reason(request, pause.reason);
  if (!reason) co_return operator_answer(reason.error());
  if (body->dry_run) co_return co_await preview_pause(std::move(pause), true);
  const Result<> resumed = co_await coordinator_.resume(pause.kind, pause.value, context);
  if (!resumed) co_return operator_answer(resumed.error());
  if (bulk_ == nullptr) co_return json_response(200, "{}");
  std::string audit_id = audit_id_of(request);
  BulkRequest retry = retry_of(pause, coordinator_.modes());
  HttpResponse response = co_await begin(std::move(retry), context, std::move(audit_id));
  if (response.status == 202) response.status = 200;  // What was asked for has happened.
  // A topic that was deleted holds nothing up.
  if (response.status == 400) response = json_response(200, "{}");
  // What the store says of the job is not true of the pause.
  if (response.status >= 500) response = resumed_without_retry(response.status);
  co_return response;
}

/// What a pause would hold up, or what a resume would let go on.
Task<HttpResponse> OperatorApi::preview_pause(Pause pause, bool is_paused) {
  if (bulk_ == nullptr) co_return no_bulk();
  const auto pauses = co_await coordinator_.pauses();
  if (!pauses) co_return operator_answer(pauses.error());
  const bool was_paused = std::ranges::any_of(*pauses, [&pause](const Pause& each) {
    return each.kind == pause.kind && each.value == pause.value;
  });
  if (was_paused != is_paused) {
    const std::string what = std::string("the ").append(to_string(pause.kind)) + " '" +
                             masked_url(pause.value) + "' is ";
    co_return error_response(is_paused ? 404 : 409,
                             what + (is_paused ? "not paused" : "paused already"));
  }
  const auto preview = co_await bulk_->preview_pause(pause);
  if (!preview) co_return operator_answer(preview.error());
  co_return json_response(200,
                          pause_preview_json(pause, *preview, zone_offset_, coordinator_.modes()));
}

}  // namespace concerto::net
