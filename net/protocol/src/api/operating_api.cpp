// Concerto's own requests about a transaction, the audit log and the coordinator as a whole.

#include <utility>

#include <concerto/protocol/api_http.hpp>
#include <concerto/protocol/parameters.hpp>

#include "api/answer_bodies.hpp"
#include "api/audited.hpp"
#include "api/bulk_json.hpp"
#include "api/error_answers.hpp"
#include "api/inspection_json.hpp"
#include "api/json_read.hpp"
#include "api/list_query.hpp"

namespace concerto::net {
namespace {

std::string given(const HttpRequest& request, std::string_view name) {
  return std::string{request.query_value(name).value_or(std::string_view{})};
}

/// The body may have the reason, which is for the audit log, and may be empty.
Result<> check_begin_body(const std::string& body) {
  constexpr std::size_t bytes_max = 1'024;
  if (body.empty()) return ok();
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(body, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return make_error(Errc::invalid_request, "the request body: expected an object");
  }
  for (const JsonValue member : parsed.root()) {
    CONCERTO_CHECK(check_member(parsed.root(), member));
    if (member.key() != "reason") return unknown_member("the request body", member.key());
    if (!member.is(JsonKind::text) || member.text().size() > bytes_max) {
      return make_error(Errc::invalid_request, "reason: expected a string of at most " +
                                                   std::to_string(bytes_max) + " bytes");
    }
  }
  return ok();
}

}  // namespace

Task<HttpResponse> HttpApi::why(HttpRequest request, RequestContext /*context*/) {
  const Result<> known = check_parameters(request, {"gid"});
  if (!known) co_return operator_answer(known.error());
  const std::string gid = given(request, "gid");
  if (gid.empty()) co_return error_response(400, "gid: no gid specified");
  const auto found = co_await coordinator_.inspect(Gid{gid});
  if (!found) co_return operator_answer(found.error());
  if (!*found) co_return error_response(404, "no transaction with gid " + gid + " found");
  co_return json_response(200, why_json(**found, options_.zone_offset, coordinator_.modes()));
}

Task<HttpResponse> HttpApi::audit(HttpRequest request, RequestContext context) {
  const Result<> known =
      check_parameters(request, {"gid", "caller", "action", "position", "limit"});
  if (!known) co_return operator_answer(known.error());
  AuditQuery query;
  query.tells_local = gate_.is_from(RouteRole::operators, context, request);
  query.gid = given(request, "gid");
  query.caller = given(request, "caller");
  query.action = given(request, "action");
  query.position = given(request, "position");
  const Result<std::size_t> limit = list_limit(request);
  if (!limit) co_return operator_answer(limit.error());
  query.limit = *limit;
  AuditPage page;
  if (ActionAudit* const audit = gate_.audit()) {
    Result<AuditPage> found = co_await audit->read(std::move(query));
    if (!found) co_return operator_answer(found.error());
    page = std::move(*found);
  }
  co_return json_response(200, audit_json(page, gate_.audit() != nullptr));
}

Task<HttpResponse> HttpApi::begin(HttpRequest request, RequestContext context) {
  Result<> read = check_parameters(request, {"reason"});
  if (read) read = check_begin_body(request.body);
  if (!read) co_return error_response(400, read.error().detail);
  const bool was_paused = co_await coordinator_.begin(context);
  co_return json_response(200, was_paused ? R"({"wasPaused":true})" : R"({"wasPaused":false})");
}

}  // namespace concerto::net
