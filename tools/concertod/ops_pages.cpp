#include "ops_pages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/engine/mode.hpp>

#include "admin_page.hpp"
#include "ops_paths.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;

using Reasons = std::vector<std::string>;

constexpr net::RouteNeeds for_anyone{net::RouteDeed::reads, net::RouteRole::anyone,
                                     net::RouteBrowser::any_page};

constexpr net::RouteNeeds for_operators{net::RouteDeed::reads, net::RouteRole::anyone,
                                        net::RouteBrowser::any_page, "admin", true};

/// The answer of a probe: 503 with the fault, or 200. Both also have the warnings.
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

/// Scripts, styles and requests are the server's own, nothing runs that a text brings in, and no
/// other page has this one in a frame.
constexpr std::string_view admin_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

void put(std::string& text, std::string_view place, std::string_view value) {
  std::size_t at = text.find(place);
  CONCERTO_ASSERT(at != std::string::npos);
  for (; at != std::string::npos; at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
}

/// The admin page, with all modes to choose from.
std::string admin_text(std::string_view base) {
  std::string options;
  for (const Mode* mode : ModeTable::standard().all()) {
    options.append("<option>").append(mode->name).append("</option>");
  }
  std::string text{admin_page};
  put(text, "<!-- modes -->", options);
  put(text, "<!-- base -->", base);
  return text;
}

net::HttpResponse admin_part(std::string_view content_type, std::string text) {
  net::HttpResponse response;
  response.content_type = content_type;
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("Content-Security-Policy", admin_policy);
  response.headers.add("X-Frame-Options", "DENY");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "same-origin");
  response.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  response.body = std::move(text);
  return response;
}

/// The page at each of its views, and its script and style.
net::RouteHandler admin(const std::string& base) {
  return [page = admin_part("text/html; charset=utf-8", admin_text(base)),
          script = admin_part("text/javascript; charset=utf-8", std::string{admin_script}),
          style = admin_part("text/css; charset=utf-8", std::string{admin_style}),
          script_path = base + "/admin/page.js", style_path = base + "/admin/page.css"](
             const net::HttpRequest& request, const RequestContext&) {
    if (request.path == script_path) return answer_with(script);
    return answer_with(request.path == style_path ? style : page);
  };
}

}  // namespace

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
               return answer_with(
                   probe_answer("not ready", sources_.not_ready(told), sources_.warnings(told)));
             });
  // The page (protocol page 02, section 11) has no data. The requests that it makes have their own
  // needs.
  router.add("GET", sources_.admin_base + "/", for_operators, admin(sources_.admin_base));
  router.add_prefix("GET", sources_.admin_base + "/admin/", for_operators,
                    admin(sources_.admin_base));
}

Task<net::HttpResponse> OpsPages::metrics() const {
  net::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = co_await sources_.metrics();
  co_return response;
}

}  // namespace concerto::tools
