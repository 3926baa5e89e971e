#include <utility>

#include <concerto/protocol/operator_api.hpp>

#include "api/audited.hpp"
#include "api/bulk_json.hpp"
#include "api/edit_json.hpp"
#include "api/error_answers.hpp"
#include "api/json_read.hpp"
#include "api/list_query.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t groups_max = 100;
constexpr std::size_t reason_bytes_max = 1'024;

HttpResponse no_bulk() {
  return error_response(501, "this server has no actions on many transactions");
}

/// These routes are Concerto's own, so their statuses say what is wrong; the reference has 500 for
/// all of it.
HttpResponse operator_answer(const Error& error) {
  HttpResponse response = http_answer(error);
  if (error.code == Errc::invalid_request || error.code == EngineErrc::invalid_entry) {
    response.status = 400;
  } else if (error.code == EngineErrc::trans_not_found || error.code == EngineErrc::key_not_found) {
    response.status = 404;
  }
  return response;
}

/// The reason in the header counts where the body has none.
Result<> take_reason(const HttpRequest& request, std::string& reason) {
  if (reason.empty()) reason = request.headers.find(reason_header).value_or(std::string_view{});
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
  if (pause.kind == PauseKind::mode) {
    request.selection.type = modes.find(pause.value)->type;
  } else {
    request.selection.trouble.target = pause.value;
  }
  return request;
}

Result<std::string> job_id_in(std::string_view body) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(body, "the request body"));
  const auto id = parsed.root().find("id");
  if (!id) return make_error(Errc::invalid_request, "id: the name of a job is missing");
  std::string text;
  CONCERTO_CHECK(read_json("id", *id, text));
  return text;
}

}  // namespace

Task<HttpResponse> OperatorApi::count(HttpRequest request, RequestContext /*context*/) {
  if (bulk_ == nullptr) co_return no_bulk();
  const auto selection = selection_from(request, clock_.wall_now(), coordinator_.modes());
  if (!selection) co_return operator_answer(selection.error());
  const auto by = count_by_from(request.query_value("by").value_or("status"));
  if (!by) co_return operator_answer(by.error());
  const auto counts = co_await bulk_->count(*selection, *by, groups_max);
  if (!counts) co_return operator_answer(counts.error());
  co_return json_response(200, counts_json(*counts, zone_offset_));
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
    const Result<> done =
        co_await carry_out(coordinator_, body->request, std::move(body->gid), context);
    if (!done) co_return operator_answer(done.error());
    co_return json_response(200, R"({"done":1,"failed":0})");
  }
  if (!body->gids.empty()) {
    co_return co_await act_on_some(std::move(body->gids), std::move(body->request), context);
  }
  if (body->dry_run) co_return co_await preview(std::move(body->request));
  co_return co_await begin(std::move(body->request), context);
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
    if (found && !*found) {
      co_return error_response(404, "no TransGlobal with gid: " + body.gid.str() + " found");
    }
    body.gids.push_back(std::move(body.gid));
  }
  const auto preview = co_await preview_named(coordinator_, std::move(body.gids));
  if (!preview) co_return operator_answer(preview.error());
  co_return json_response(200, preview_json(*preview, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::begin(BulkRequest request, RequestContext context) {
  if (bulk_ == nullptr) co_return no_bulk();
  const auto job = co_await bulk_->begin(std::move(request), context);
  if (!job) co_return operator_answer(job.error());
  co_return json_response(202, job_json(*job, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::act_on_some(std::vector<Gid> gids, BulkRequest request,
                                            RequestContext context) {
  BulkJob tally;
  for (Gid& gid : gids) {
    const Result<> done = co_await carry_out(coordinator_, request, gid, context);
    if (done) {
      ++tally.done;
      continue;
    }
    ++tally.failed;
    if (tally.failures.size() < BulkJob::failures_max) {
      tally.failures.push_back({std::move(gid), client_text(done.error())});
    }
  }
  co_return json_response(200, acted_json(tally));
}

Task<HttpResponse> OperatorApi::jobs(HttpRequest request, RequestContext /*context*/) {
  if (bulk_ == nullptr) co_return no_bulk();
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
  const auto job = co_await bulk_->cancel(*id);
  if (!job) co_return operator_answer(job.error());
  co_return json_response(200, job_json(*job, zone_offset_, coordinator_.modes()));
}

Task<HttpResponse> OperatorApi::pauses(HttpRequest /*request*/, RequestContext /*context*/) {
  const auto pauses = co_await coordinator_.pauses();
  if (!pauses) co_return operator_answer(pauses.error());
  co_return json_response(200, pauses_json(*pauses, zone_offset_));
}

Task<HttpResponse> OperatorApi::pause(HttpRequest request, RequestContext context) {
  auto pause = pause_from(request.body);
  if (!pause) co_return operator_answer(pause.error());
  const Result<> reason = take_reason(request, pause->reason);
  if (!reason) co_return operator_answer(reason.error());
  const auto paused = co_await coordinator_.pause(std::move(*pause), context);
  if (!paused) co_return operator_answer(paused.error());
  co_return json_response(200, pause_json(*paused, zone_offset_));
}

/// The pause ends also if no job can be begun. Then those that it held up go on by themselves.
Task<HttpResponse> OperatorApi::resume(HttpRequest request, RequestContext context) {
  auto pause = pause_from(request.body);
  if (!pause) co_return operator_answer(pause.error());
  const Result<> reason = take_reason(request, pause->reason);
  if (!reason) co_return operator_answer(reason.error());
  const Result<> resumed = co_await coordinator_.resume(pause->kind, pause->value, context);
  if (!resumed) co_return operator_answer(resumed.error());
  if (bulk_ == nullptr) co_return json_response(200, "{}");
  HttpResponse response = co_await begin(retry_of(*pause, coordinator_.modes()), context);
  if (response.status == 202) response.status = 200;  // What was asked for has happened.
  co_return response;
}

}  // namespace concerto::net
