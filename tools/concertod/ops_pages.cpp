#include "ops_pages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/engine/mode.hpp>

#include "admin_page.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;

using Reasons = std::vector<std::string>;

/// The answer of a probe: 503 with what is wrong, or 200; in both cases with what may become wrong.
net::HttpResponse probe_answer(const char* fault, const Reasons& reasons, const Reasons& warnings) {
  json::object body;
  body["status"] = reasons.empty() ? "ok" : fault;
  if (!reasons.empty()) body["reasons"] = json::array(reasons.begin(), reasons.end());
  if (!warnings.empty()) body["warnings"] = json::array(warnings.begin(), warnings.end());
  return net::json_response(reasons.empty() ? 200 : 503, json::serialize(body));
}

Task<net::HttpResponse> answer_with(net::HttpResponse answer) {
  co_return answer;
}

net::HttpHandler probe(const char* fault, std::function<Reasons()> find,
                       std::function<Reasons()> warn) {
  return [fault, find = std::move(find), warn = std::move(warn)](const net::HttpRequest&) {
    return answer_with(probe_answer(fault, find(), warn()));
  };
}

/// The page, with all modes to choose from.
std::string admin_text() {
  constexpr std::string_view place = "<!-- modes -->";
  const std::size_t at = admin_page.find(place);
  CONCERTO_ASSERT(at != std::string_view::npos);
  std::string options;
  for (const Mode* mode : ModeTable::standard().all()) {
    options.append("<option>").append(mode->name).append("</option>");
  }
  return std::string(admin_page).replace(at, place.size(), options);
}

net::HttpHandler admin() {
  net::HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("X-Frame-Options", "DENY");
  response.body = admin_text();
  return
      [response = std::move(response)](const net::HttpRequest&) { return answer_with(response); };
}

}  // namespace

void OpsPages::register_on(net::Router& router) const {
  // The reference's path, and the one that scrapers try first.
  for (const char* path : {"/api/metrics", "/metrics"}) {
    router.add("GET", path, [this](const net::HttpRequest&) { return metrics(); });
  }
  router.add("GET", "/livez", probe("not live", sources_.not_live, [] { return Reasons{}; }));
  router.add("GET", "/readyz", probe("not ready", sources_.not_ready, sources_.warnings));
  // (protocol page 02, section 11)
  router.add("GET", sources_.admin_base + "/", admin());
  router.add_prefix("GET", sources_.admin_base + "/admin/", admin());
}

Task<net::HttpResponse> OpsPages::metrics() const {
  net::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = co_await sources_.metrics();
  co_return response;
}

}  // namespace concerto::tools
