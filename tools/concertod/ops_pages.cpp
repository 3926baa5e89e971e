#include "ops_pages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ops_paths.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;

using Reasons = std::vector<std::string>;

constexpr net::RouteNeeds for_anyone{net::RouteDeed::reads, net::RouteRole::anyone,
                                     net::RouteBrowser::any_page};

/// The answer of a probe: 503 with the fault, or 200. Both also have the warnings.
net::HttpResponse probe_answer(const char* fault, const Reasons& reasons, const Reasons& warnings,
                               bool is_paused = false) {
  json::object body;
  body["status"] = reasons.empty() ? "ok" : fault;
  if (!reasons.empty()) body["reasons"] = json::array(reasons.begin(), reasons.end());
  if (!warnings.empty()) body["warnings"] = json::array(warnings.begin(), warnings.end());
  if (is_paused) body["paused"] = true;
  return net::json_response(reasons.empty() ? 200 : 503, json::serialize(body));
}

Task<net::HttpResponse> answer_with(net::HttpResponse answer) {
  co_return answer;
}

}  // namespace

OpsPages::OpsPages(Sources sources) : sources_(std::move(sources)) {
  if (sources_.admin_base) console_.emplace(*sources_.admin_base, sources_.node);
}

void OpsPages::register_on(net::GatedRouter& router) const {
  for (const std::string_view path : metrics_paths) {
    if (!sources_.metrics_role) break;
    router.add("GET", path,
               {net::RouteDeed::reads, *sources_.metrics_role, net::RouteBrowser::any_page},
               [this](const net::HttpRequest&, const RequestContext&) { return metrics(); });
  }
  router.add("GET", live_path, for_anyone, [this](const net::HttpRequest&, const RequestContext&) {
    return answer_with(probe_answer("not live", sources_.not_live(), {}));
  });
  // Anyone may ask, but the words of the store are for operators.
  router.add("GET", ready_path, for_anyone,
             [this, &gate = router.gate()](const net::HttpRequest& request,
                                           const RequestContext& context) {
               const bool told = gate.is_from(net::RouteRole::operators, context, request);
               const bool is_paused = sources_.paused && sources_.paused();
               return answer_with(probe_answer("not ready", sources_.not_ready(told),
                                               sources_.warnings(told), is_paused));
             });
  if (sources_.backups != nullptr) sources_.backups->register_on(router);
  if (console_) console_->register_on(router);
}

Task<net::HttpResponse> OpsPages::metrics() const {
  net::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = co_await sources_.metrics();
  co_return response;
}

}  // namespace concerto::tools
