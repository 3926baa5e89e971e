#include <algorithm>
#include <utility>

#include <concerto/protocol/gated_router.hpp>

#include "api/audited.hpp"
#include "api/error_answers.hpp"
#include "api/request_contexts.hpp"

namespace concerto::net {
namespace {

constexpr RouteNeeds no_route{RouteDeed::reads, RouteRole::anyone, RouteBrowser::any_page};

RouteEffect effect_of(const RouteNeeds& needs) noexcept {
  return needs.is_change() ? RouteEffect::changes : RouteEffect::reads;
}

Task<HttpResponse> answer(HttpResponse response) {
  co_return response;
}

Task<HeadVerdict> verdict(bool is_known) {
  co_return HeadVerdict{is_known, {}};
}

Task<HeadVerdict> refused_with(Task<HttpResponse> refusal) {
  HeadVerdict verdict;
  verdict.refusal = co_await std::move(refusal);
  co_return verdict;
}

}  // namespace

GatedRouter::GatedRouter(const Gate& gate, const Clock& clock) : gate_(gate), clock_(clock) {
  set_fallback([not_found = router_.fallback()](HttpRequest request, RequestContext /*context*/) {
    return not_found(std::move(request));
  });
}

void GatedRouter::add(std::string_view method, std::string_view path, const RouteNeeds& needs,
                      RouteHandler handler, RefusalAnswer refused) {
  if (needs.deed == RouteDeed::operates) operated_.push_back({std::string{path}, false, needs});
  router_.add(method, path, effect_of(needs), gated(needs, std::move(handler), refused),
              head_check_of(needs, refused));
}

void GatedRouter::add_prefix(std::string_view method, std::string_view prefix,
                             const RouteNeeds& needs, RouteHandler handler) {
  if (needs.deed == RouteDeed::operates) operated_.push_back({std::string{prefix}, true, needs});
  router_.add_prefix(method, prefix, effect_of(needs), gated(needs, std::move(handler)),
                     head_check_of(needs));
}

void GatedRouter::add_redirect(std::string_view method, std::string_view path,
                               const RouteNeeds& needs, RouteHandler handler) {
  if (needs.deed == RouteDeed::operates) operated_.push_back({std::string{path}, false, needs});
  router_.add(method, path, effect_of(needs), gated(needs, std::move(handler), nullptr, false),
              head_check_of(needs));
}

void GatedRouter::set_fallback(RouteHandler handler) {
  fallback_ = std::move(handler);
  router_.set_fallback(unrouted());
}

/// A request that no route takes, because its method is another one, may still have been meant for
/// a route that operates.
HttpHandler GatedRouter::unrouted() const {
  return [this, answer = gated(no_route, fallback_)](HttpRequest request) {
    const RouteNeeds* const needs = gate_.audit() ? operated_by(request.path) : nullptr;
    if (needs == nullptr) return answer(std::move(request));
    return record_miss(*needs, std::move(request), answer);
  };
}

const RouteNeeds* GatedRouter::operated_by(std::string_view path) const noexcept {
  const auto leads_there = [path](const Operated& route) {
    return route.is_prefix ? path.starts_with(route.path) : path == route.path;
  };
  const auto found = std::ranges::find_if(operated_, leads_there);
  return found == operated_.end() ? nullptr : &found->needs;
}

Task<HttpResponse> GatedRouter::record_miss(const RouteNeeds& needs, HttpRequest request,
                                            const HttpHandler& answer) const {
  RequestContext asker = context(request);
  const auto refusal = gate_.refuse_http(needs, asker, request);
  AuditRecord record = record_of(needs, request, asker, refusal);
  if (!is_of_stranger(refusal)) record.details = "method " + request.method;
  HttpResponse response = co_await answer(std::move(request));
  co_return co_await audited_refusal(*gate_.audit(), std::move(record), std::move(response));
}

HttpHandler GatedRouter::gated(const RouteNeeds& needs, RouteHandler handler, RefusalAnswer refused,
                               bool begins) const {
  return [this, needs, handler = std::move(handler), refused, begins](HttpRequest request) {
    RequestContext asker = context(request);
    const auto refusal = gate_.refuse_http(needs, asker, request);
    if (refusal) return refuse(needs, request, asker, *refusal, refused);
    const bool is_operating = needs.deed == RouteDeed::operates;
    if (is_operating) request.headers.erase(audit_id_header);
    if (!begins || !is_recorded(needs)) return handler(std::move(request), asker);
    AuditRecord record = record_of(needs, request, asker, {});
    record.id = gate_.audit()->next_id();
    request.headers.set(audit_id_header, record.id);
    return audited(*gate_.audit(), std::move(record), handler(std::move(request), asker));
  };
}

Task<HttpResponse> GatedRouter::refuse(const RouteNeeds& needs, const HttpRequest& request,
                                       const RequestContext& asker, const Refusal& refusal,
                                       RefusalAnswer refused) const {
  HttpResponse response = refused != nullptr ? refused(refusal) : http_answer(refusal);
  if (!is_recorded(needs)) return answer(std::move(response));
  return audited_refusal(*gate_.audit(), record_of(needs, request, asker, refusal),
                         std::move(response));
}

HttpHeadCheck GatedRouter::head_check_of(const RouteNeeds& needs, RefusalAnswer refused) const {
  return [this, needs, refused](const HttpRequest& request) {
    RequestContext asker = context(request);
    const Gate::HeadLook look = gate_.look_at_http(needs, asker, request);
    if (!look.refusal) return verdict(look.is_known);
    return refused_with(refuse(needs, request, asker, *look.refusal, refused));
  };
}

RequestContext GatedRouter::context(const HttpRequest& request) const {
  const SteadyTime now = clock_.steady_now();
  RequestContext context = context_of(request, now, gate_.proxies());
  if (wait_max_.count() > 0) context.deadline = std::min(context.deadline, now + wait_max_);
  return context;
}

}  // namespace concerto::net
