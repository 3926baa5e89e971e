#include <algorithm>
#include <cstring>
#include <limits>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/url.hpp>

#include <concerto/engine/bulk_actions.hpp>
#include <concerto/engine/error.hpp>
#include <concerto/protocol/api_http.hpp>
#include <concerto/transport/percent.hpp>

#include "api/answer_bodies.hpp"
#include "api/audited.hpp"
#include "api/error_answers.hpp"
#include "api/inspection_json.hpp"
#include "api/json_read.hpp"
#include "api/list_query.hpp"
#include "api/openapi_document.hpp"
#include "api/pending_outcome.hpp"
#include "api/request_contexts.hpp"
#include "api/request_json.hpp"
#include "api/rpc_action.hpp"
#include "api/trans_json.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

const std::string base_path = "/api/dtmsvr/";
constexpr std::string_view rpc_path = "/api/json-rpc";

/// Reads the transaction from the request's body. Frees the body, because a submit may wait for a
/// long time.
Result<TransRequest> take_trans(HttpRequest& request) {
  const std::string body = std::move(request.body);
  request.body = {};
  return trans_request_from_json(body);
}

std::string value_of(const HttpRequest& request, std::string_view name) {
  return std::string{request.query_value(name).value_or(std::string_view{})};
}

HttpResponse answer(const Result<>& result) {
  if (!result) return http_answer(result.error());
  return json_response(200, std::string{success_body});
}

/// The answer of registerBranch, and of no other route, to a body that it cannot read (protocol
/// page 02, section 2).
HttpResponse unreadable(const Error& error) {
  HttpResponse response = error_response(400, error.detail);
  response.content_type = "text/plain; charset=utf-8";
  return response;
}

/// What a list says of a transaction whose branches cannot be read.
Inspection inspection_of_damaged(const Transaction& listed, const Error& error) {
  Inspection damaged;
  damaged.trans = listed;
  damaged.activity = is_final(listed.status) ? Activity::finished : Activity::waiting;
  damaged.explanation = error.detail;
  return damaged;
}

HttpResponse redirect_to(std::string_view path, const HttpRequest& request) {
  boost::urls::url location;
  location.set_path(path);
  for (const auto& [name, value] : request.query) location.params().append({name, value});
  HttpResponse response;
  response.status = request.method == "GET" || request.method == "HEAD" ? 301 : 307;
  response.headers.add("Location", std::string_view{location.buffer()});
  return response;
}

/// Without callers everybody is an operator.
CredentialHeaders told_to(const Gate& gate, const RequestContext& context,
                          const HttpRequest& request) {
  return gate.is_from(RouteRole::operators, context, request) ? CredentialHeaders::told
                                                              : CredentialHeaders::masked;
}

Task<HttpResponse> redirect(std::string path, HttpRequest request) {
  co_return redirect_to(path, request);
}

}  // namespace

HttpApi::HttpApi(Coordinator& coordinator, const Gate& gate, RandomSource& random,
                 const Clock& clock, HttpApiOptions options, const RouteTable& routes)
    : coordinator_(coordinator),
      gate_(gate),
      random_(random),
      clock_(clock),
      options_(std::move(options)),
      operators_(coordinator, options_.bulk, clock, options_.zone_offset),
      routes_(routes) {}

void HttpApi::register_on(GatedRouter& router) {
  for (const Route& route : routes_.rows()) {
    const RouteHandler handler =
        std::visit([this](auto operation) { return this->bound(operation); }, route.operation);
    for (std::string_view rest = route.methods; !rest.empty();) {
      const std::size_t size = std::min(rest.find(' '), rest.size());
      add(router, rest.substr(0, size), route, handler);
      rest.remove_prefix(std::min(size + 1, rest.size()));
    }
  }
  router.set_fallback(counted("unknown", router.fallback()));
}

std::vector<std::string_view> HttpApi::paths() {
  std::vector<std::string_view> paths;
  for (const Route& route : RouteTable::standard().rows()) paths.push_back(route.path);
  return paths;
}

void HttpApi::add(GatedRouter& router, std::string_view method, const Route& route,
                  const RouteHandler& handler) {
  const std::string path{route.path};
  if (path.ends_with("/*")) {
    const std::string plain = path.substr(0, path.size() - 2);
    return router.add_prefix(method, plain + "/", route.needs(), counted(plain, handler));
  }
  // Probes are not counted.
  if (method == Router::any_method) return router.add(method, path, route.needs(), handler);
  const RefusalAnswer refused = path == rpc_path ? rpc_refusal : nullptr;
  router.add(method, path, route.needs(), counted(path, handler), refused);
  router.add_redirect(method, path + "/", route.needs(),
                      [path](HttpRequest request, RequestContext /*context*/) {
                        return redirect(path, std::move(request));
                      });
}

RouteHandler HttpApi::counted(std::string_view path, RouteHandler handler) {
  std::string api{path.substr(path.rfind('/') + 1)};
  boost::algorithm::to_lower(api);
  ApiProbe::Entry& entry = probe_.entry(api);
  return [this, &entry, handler = std::move(handler)](HttpRequest request, RequestContext context) {
    return count(entry, handler(std::move(request), context));
  };
}

Task<HttpResponse> HttpApi::count(ApiProbe::Entry& entry, Task<HttpResponse> handled) {
  const SteadyTime begin = clock_.steady_now();
  HttpResponse response = co_await std::move(handled);
  entry.add(response.status < 400, clock_.steady_now() - begin);
  co_return response;
}

RouteHandler HttpApi::bound(const OwnHandlers& own) {
  return [this, handler = own.http](HttpRequest request, RequestContext context) {
    return (this->*handler)(std::move(request), context);
  };
}

RouteHandler HttpApi::bound(TransOperation operation) {
  return [this, operation](HttpRequest request, RequestContext context) {
    return change(operation, std::move(request), context);
  };
}

RouteHandler HttpApi::bound(BranchOperation operation) {
  return [this, operation](HttpRequest request, RequestContext context) {
    return register_branch(operation, std::move(request), context);
  };
}

RouteHandler HttpApi::bound(GidOperation operation) {
  return [this, operation](HttpRequest request, RequestContext context) {
    return change_by_gid(operation, std::move(request), context);
  };
}

RouteHandler HttpApi::bound(ReasonedOperation operation) {
  return [this, operation](HttpRequest request, RequestContext context) {
    return change_with_reason(operation, std::move(request), context);
  };
}

RouteHandler HttpApi::bound(OperatorOperation operation) {
  return [this, operation](HttpRequest request, RequestContext context) {
    return (operators_.*operation)(std::move(request), context);
  };
}

Task<HttpResponse> HttpApi::version(HttpRequest /*request*/, RequestContext /*context*/) {
  json::object body;
  body["version"] = options_.version;
  co_return json_response(200, json::serialize(body));
}

Task<HttpResponse> HttpApi::new_gid(HttpRequest /*request*/, RequestContext /*context*/) {
  json::object body;
  body["dtm_result"] = success_word;
  body["gid"] = Coordinator::new_gid(random_).view();
  co_return json_response(200, json::serialize(body));
}

Task<HttpResponse> HttpApi::query(HttpRequest request, RequestContext context) {
  const std::string_view gid = request.query_value("gid").value_or(std::string_view{});
  if (gid.empty()) co_return error_response(500, "no gid specified");
  const auto found = co_await coordinator_.inspect(Gid{std::string{gid}});
  if (!found) co_return http_answer(found.error());
  co_return json_response(200, query_json(*found, options_.zone_offset, coordinator_.modes(),
                                          told_to(gate_, context, request)));
}

Task<HttpResponse> HttpApi::all(HttpRequest request, RequestContext context) {
  const CredentialHeaders credentials = told_to(gate_, context, request);
  Result<ListQuery> list = list_query_from(request, coordinator_.modes());
  if (!list) co_return http_answer(list.error());
  const Result<> own = take_own_parameters(request, clock_.wall_now(), *list);
  if (!own) co_return operator_answer(own.error());
  if (!list->gid.empty()) {
    const auto trans = co_await coordinator_.query(std::move(list->gid));
    if (!trans) co_return http_answer(trans.error());
    co_return json_response(200, single_json(*trans, list->position, options_.zone_offset,
                                             coordinator_.modes(), credentials));
  }
  const Result<> selected = co_await select_own(coordinator_, std::move(list->topic),
                                                std::move(list->owner), list->filter);
  if (!selected) co_return operator_answer(selected.error());
  const auto page = co_await coordinator_.list(std::move(list->filter), std::move(list->position),
                                               list->limit, std::move(list->trouble));
  if (!page) co_return http_answer(page.error());
  std::vector<std::optional<Inspection>> why;
  if (list->explain) {
    for (const Transaction& trans : page->transactions) {
      auto found = co_await coordinator_.inspect(trans.gid);
      if (!found && found.error().code == EngineErrc::store_damaged) {
        why.push_back(inspection_of_damaged(trans, found.error()));
        continue;
      }
      if (!found) co_return http_answer(found.error());
      if (*found && (*found)->attempts.size() > 1) {
        (*found)->attempts.erase((*found)->attempts.begin(), std::prev((*found)->attempts.end()));
      }
      why.push_back(std::move(*found));
    }
  }
  co_return json_response(
      200, page_json(*page, options_.zone_offset, coordinator_.modes(), why, credentials));
}

Task<HttpResponse> HttpApi::reset_cron_time(HttpRequest request, RequestContext context) {
  constexpr std::int64_t seconds_max = std::numeric_limits<std::int32_t>::max();
  const auto beyond = integer_value(request, "timeout", options_.reset_beyond.count());
  if (!beyond) co_return http_answer(beyond.error());
  const Result<std::size_t> limit = list_limit(request);
  if (!limit) co_return http_answer(limit.error());
  const std::chrono::seconds bounded{std::clamp(*beyond, -seconds_max, seconds_max)};
  const auto reset = co_await coordinator_.reset_cron_time(bounded, *limit, context);
  if (!reset) co_return http_answer(reset.error());
  json::object body;
  body["has_remaining"] = reset->has_remaining;
  body["succeed_count"] = reset->count;
  co_return json_response(200, json::serialize(body));
}

Task<HttpResponse> HttpApi::subscribe(HttpRequest request, RequestContext context) {
  const Result<> result = co_await coordinator_.subscribe(
      value_of(request, "topic"), value_of(request, "url"), value_of(request, "remark"), context);
  co_return answer(result);
}

Task<HttpResponse> HttpApi::unsubscribe(HttpRequest request, RequestContext context) {
  const Result<> result = co_await coordinator_.unsubscribe(value_of(request, "topic"),
                                                            value_of(request, "url"), context);
  co_return answer(result);
}

Task<HttpResponse> HttpApi::delete_topic(HttpRequest request, RequestContext context) {
  const std::string_view path = request.path;
  const std::string_view encoded = path.substr(base_path.size() + std::strlen("topic/"));
  std::string topic = percent_decode(encoded, false).value_or(std::string{});
  if (topic.empty()) co_return text_response(404, "404 page not found");
  const Result<> result = co_await coordinator_.delete_topic(std::move(topic), context);
  co_return answer(result);
}

Task<HttpResponse> HttpApi::query_kv(HttpRequest request, RequestContext /*context*/) {
  const auto found =
      co_await coordinator_.find_kv(value_of(request, "cat"), value_of(request, "key"));
  if (!found) co_return http_answer(found.error());
  co_return json_response(200, kv_json(*found, options_.zone_offset));
}

Task<HttpResponse> HttpApi::scan_kv(HttpRequest request, RequestContext /*context*/) {
  const Result<std::size_t> limit = list_limit(request);
  if (!limit) co_return http_answer(limit.error());
  const auto page = co_await coordinator_.scan_kv(value_of(request, "cat"),
                                                  value_of(request, "position"), *limit);
  if (!page) co_return http_answer(page.error());
  co_return json_response(200, kv_page_json(*page, options_.zone_offset));
}

Task<HttpResponse> HttpApi::ping(HttpRequest /*request*/, RequestContext /*context*/) {
  co_return json_response(200, R"({"msg":"pong"})");
}

Task<HttpResponse> HttpApi::openapi(HttpRequest /*request*/, RequestContext /*context*/) {
  co_return json_response(200, std::string{openapi_document});
}

Task<HttpResponse> HttpApi::register_branch(BranchOperation operation, HttpRequest request,
                                            RequestContext context) {
  Result<BranchRequest> branch = branch_request_from_json(request.body);
  if (!branch) co_return unreadable(branch.error());
  const Result<> result = co_await (coordinator_.*operation)(std::move(*branch), context);
  co_return answer(result);
}

Task<HttpResponse> HttpApi::prepare_workflow(HttpRequest request, RequestContext context) {
  Result<TransRequest> trans = take_trans(request);
  if (!trans) co_return http_answer(trans.error());
  take_trace_state(*trans, context, request.headers);
  const auto prepared = co_await coordinator_.prepare_workflow(std::move(*trans), context);
  if (!prepared) co_return http_answer(prepared.error());
  CredentialHeaders credentials = CredentialHeaders::told;
  if (!prepared->options.branch_headers.empty()) credentials = told_to(gate_, context, request);
  co_return json_response(
      200, workflow_json(*prepared, options_.zone_offset, coordinator_.modes(), credentials));
}

Task<HttpResponse> HttpApi::change(TransOperation operation, HttpRequest request,
                                   RequestContext context) {
  Result<TransRequest> trans = take_trans(request);
  if (!trans) co_return http_answer(trans.error());
  take_trace_state(*trans, context, request.headers);
  Gid gid = trans->gid;
  const Result<> result = co_await (coordinator_.*operation)(std::move(*trans), context);
  HttpResponse response = answer(result);
  if (!result) {
    const bool pending = co_await is_pending(coordinator_, std::move(gid), result.error().code);
    if (pending) response.headers.add(outcome_header, outcome_pending);
  }
  co_return response;
}

Task<HttpResponse> HttpApi::change_by_gid(GidOperation operation, HttpRequest request,
                                          RequestContext context) {
  Result<TransRequest> trans = take_trans(request);
  if (!trans) co_return http_answer(trans.error());
  const Result<> result = co_await (coordinator_.*operation)(std::move(trans->gid), context);
  co_return answer(result);
}

Task<HttpResponse> HttpApi::change_with_reason(ReasonedOperation operation, HttpRequest request,
                                               RequestContext context) {
  std::string reason = reason_of(request);
  Result<TransRequest> trans = take_trans(request);
  if (!trans) co_return http_answer(trans.error());
  const Result<> result =
      co_await (coordinator_.*operation)(std::move(trans->gid), context, std::move(reason));
  co_return answer(result);
}

}  // namespace concerto::net
